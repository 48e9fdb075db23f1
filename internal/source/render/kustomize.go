package render

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"moorgate.dev/internal/source"
)

const (
	maxFiles   = 10_000
	maxObjects = 5_000
	maxTime    = 10 * time.Second
)

// repository is where a repository lies in memory.
const repository = "/repository"

// Rendered is what a root makes.
type Rendered struct {
	Objects []*unstructured.Unstructured
	// Unknown says of objects that are left out why nobody can say what they should be.
	Unknown map[source.Name]string
}

// Kustomize is the Renderer of a root. What cannot be known of an object leaves the object out.
func Kustomize(s Spec) source.Renderer {
	return func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		r, err := Render(files, s)
		return r.Objects, err
	}
}

// Render makes the objects of a root.
func Render(files map[string][]byte, s Spec) (Rendered, error) {
	if len(files) > maxFiles {
		return Rendered{}, fmt.Errorf("there are more than %d files", maxFiles)
	}
	at, err := inside("", s.Path)
	if err != nil {
		return Rendered{}, err
	}
	s.Path = at
	fs, err := s.lay(files)
	if err != nil {
		return Rendered{}, err
	}
	made, err := inTime(maxTime, func() ([]*unstructured.Unstructured, error) { return build(fs, s.Path) })
	if err != nil {
		return Rendered{}, fmt.Errorf("render %s: %w", shown(cmp.Or(s.Path, ".")), err)
	}
	return s.finish(made)
}

// build has kustomize render a folder.
func build(fs filesys.FileSystem, folder string) ([]*unstructured.Unstructured, error) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // as Flux does; the file system holds the repository and nothing else
	m, err := krusty.MakeKustomizer(options).Run(fs, path.Join(repository, folder))
	if err != nil {
		return nil, errors.New("kustomize refuses it")
	}
	if m.Size() > maxObjects {
		return nil, fmt.Errorf("it makes more than %d objects", maxObjects)
	}
	return objects(m)
}

func objects(m resmap.ResMap) ([]*unstructured.Unstructured, error) {
	made := make([]*unstructured.Unstructured, 0, m.Size())
	for _, r := range m.Resources() {
		b, err := r.MarshalJSON()
		if err != nil {
			return nil, errors.New("kustomize makes what JSON cannot say")
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(b); err != nil {
			return nil, errors.New("kustomize makes what is no object")
		}
		made = append(made, u)
	}
	return made, nil
}

// places are the renders that may run at once. kustomize cannot be told to stop, so one that hangs keeps its place.
var places = make(chan struct{}, 3)

var errPanic = errors.New("kustomize gave up on it (a panic)")

// inTime runs a render in one of three places for a time.
func inTime(limit time.Duration, render func() ([]*unstructured.Unstructured, error)) ([]*unstructured.Unstructured, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case places <- struct{}{}:
	case <-timer.C:
		return nil, errors.New("earlier renders have not come to an end")
	}
	type answer struct {
		made []*unstructured.Unstructured
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-places }()
		a := answer{err: errPanic}
		defer func() {
			if recover() != nil {
				a = answer{err: errPanic}
			}
			answers <- a
		}()
		a.made, a.err = render()
	}()
	select {
	case a := <-answers:
		return a.made, a.err
	case <-timer.C:
		return nil, fmt.Errorf("it takes longer than %s, and was given up", limit)
	}
}

// lay puts what the root reads into memory.
func (s Spec) lay(files map[string][]byte) (filesys.FileSystem, error) {
	w := walk{files: files, seen: map[string]bool{}}
	root, content, err := s.kustomization(&w)
	if err != nil {
		return nil, err
	}
	w.seen[root] = true
	fs := filesys.MakeFsInMemory()
	for file := range w.seen {
		b := files[file]
		if file == root {
			b = content
		}
		if err := fs.WriteFile(path.Join(repository, file), b); err != nil {
			return nil, fmt.Errorf("%s cannot be laid out in memory", shown(file))
		}
	}
	return fs, nil
}
