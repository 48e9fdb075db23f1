package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Name names an object the way a manifest does, whatever the version of its API.
type Name struct {
	Group, Kind, Namespace, Name string
}

// Object is an object that a repository declares.
type Object struct {
	Name
	File     string // path in the repository
	Document int    // which document of the file, from 0
	Line     int    // where the document begins, from 1
	Desired  *unstructured.Unstructured
}

// Read reads every object that plain YAML files declare, in the order of their paths. An object that names no namespace
// gets the given one. Documents that are no Kubernetes objects are passed over; a file that is no YAML, a folder that
// kustomize or Helm would have to render, a List, and an object that is declared twice are errors, all of them reported:
// where one file cannot be understood, the others may not mean what they seem to.
func Read(files map[string][]byte, namespace string) ([]Object, error) {
	var objects []Object
	var problems []error
	for _, file := range slices.Sorted(maps.Keys(files)) {
		some, err := readFile(file, files[file], namespace)
		objects = append(objects, some...)
		problems = append(problems, err)
	}
	seen := map[Name]Object{}
	for _, o := range objects {
		if first, twice := seen[o.Name]; twice {
			problems = append(problems, fmt.Errorf("%s %s is declared twice: %s:%d and %s:%d", o.Kind, o.Name.Name, first.File, first.Line, o.File, o.Line))
			continue
		}
		seen[o.Name] = o
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return objects, nil
}

// Find returns the object of that name.
func Find(objects []Object, n Name) (Object, bool) {
	i := slices.IndexFunc(objects, func(o Object) bool { return o.Name == n })
	if i < 0 {
		return Object{}, false
	}
	return objects[i], true
}

func readFile(file string, b []byte, namespace string) ([]Object, error) {
	switch path.Base(file) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml":
		return nil, fmt.Errorf("%s: this folder has to be rendered first, and this version reads plain manifests only", file)
	}
	var objects []Object
	for i, c := range split(b) {
		u, err := decode(b[c.start:c.end])
		if err != nil {
			return nil, fmt.Errorf("%s: document %d, from line %d: %w", file, i+1, c.line, err)
		}
		if u == nil {
			continue
		}
		group := schema.FromAPIVersionAndKind(u.GetAPIVersion(), u.GetKind()).Group
		n := Name{Group: group, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
		if n.Namespace == "" {
			n.Namespace = namespace
		}
		objects = append(objects, Object{Name: n, File: file, Document: i, Line: c.line + blankLines(b[c.start:c.end]), Desired: u})
	}
	return objects, nil
}

// decode reads one document as kubectl would. It answers nil for what is no Kubernetes object.
func decode(document []byte) (*unstructured.Unstructured, error) {
	asJSON, err := toJSON(document)
	if err != nil {
		return nil, err
	}
	var head struct {
		APIVersion, Kind any
	}
	if json.Unmarshal(asJSON, &head) != nil {
		return nil, nil
	}
	apiVersion, _ := head.APIVersion.(string)
	kind, _ := head.Kind.(string)
	switch {
	case apiVersion == "" || kind == "":
		return nil, nil
	case apiVersion == "v1" && kind == "List":
		return nil, errors.New("a List is not supported: write its items as documents of their own")
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(asJSON); err != nil {
		return nil, err
	}
	name, _, err := unstructured.NestedString(u.Object, "metadata", "name")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, nil
	}
	return u, nil
}

// blankLines counts the lines of a document before its first key: its marker, comments and blank lines.
func blankLines(document []byte) int {
	n := 0
	for line := range bytes.Lines(document) {
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && !marker(line) {
			return n
		}
		n++
	}
	return 0
}
