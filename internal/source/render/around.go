package render

import (
	"errors"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
)

// Around names what is read around a root: others are the folders of the other kustomizations that may read a file which
// the root reads, with the files that each may read, and reads are the files that it and they may read. What the root
// includes is no other of its own, and neither is a Component, which makes nothing alone.
//
// An other may be named that kustomize would not have read the file for, and none is left out of those among the files:
// whoever is about to change a file renders all that may read it. Where they are too many to go through, that is an error.
func Around(files map[string][]byte, s Spec) (reads []string, others map[string][]string, err error) {
	at, err := inside("", s.Path)
	if err != nil {
		return nil, nil, err
	}
	s.Path = at
	own := walk{files: files, seen: map[string]bool{}, missing: func(string) error { return nil }}
	_, _, _ = s.kustomization(&own) // what is wrong is said when it is rendered
	all := maps.Clone(own.seen)
	others = map[string][]string{}
	g := graph{files: files, from: map[string]references{}, steps: maxSteps, bytes: maxAround}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file)) || own.seen[file] || component(files[file]) {
			continue
		}
		seen := map[string]bool{}
		g.reach(file, seen)
		for read := range seen {
			if own.seen[read] {
				others[folderOf(file)] = slices.Sorted(maps.Keys(seen))
				maps.Copy(all, seen)
				g.weigh(seen)
				break
			}
		}
		if g.steps < 0 || g.bytes < 0 || len(others) > maxOthers {
			return slices.Sorted(maps.Keys(own.seen)), nil, errTooMany
		}
	}
	return slices.Sorted(maps.Keys(all)), others, nil
}

const (
	maxOthers = 500      // kustomizations beside a root
	maxAround = 64 << 20 // bytes that these read, what two of them read counting twice
	maxSteps  = 1 << 20  // references that are gone through
)

var errTooMany = errors.New("too many other kustomizations may read the same files")

// Beside names what the others of Around would read and is not among the files, as Needs does for the folder itself.
func Beside(files map[string][]byte, folder string) []string {
	_, others, err := Around(files, Own(folder))
	if err != nil {
		return nil
	}
	var needs []string
	for other := range others {
		needs = append(needs, Needs(files, other)...)
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

func folderOf(file string) string {
	if dir := path.Dir(file); dir != "." {
		return dir
	}
	return ""
}

// references are what a kustomization may refer to: whatever text in it is the name of a file, or of a folder with a
// kustomization.
type references struct {
	files, kustomizations []string
}

// graph goes through references, within bounds.
type graph struct {
	files        map[string][]byte
	from         map[string]references // those of the kustomizations that were gone through
	steps, bytes int
}

// reach notes all that a kustomization may read.
func (g *graph) reach(file string, seen map[string]bool) {
	if seen[file] || g.steps < 0 {
		return
	}
	seen[file] = true
	of := g.of(file)
	g.steps -= 1 + len(of.files) + len(of.kustomizations)
	for _, f := range of.files {
		seen[f] = true
	}
	for _, k := range of.kustomizations {
		g.reach(k, seen)
	}
}

func (g *graph) of(file string) references {
	known, found := g.from[file]
	if found {
		return known
	}
	plain, rendered := map[string]bool{}, map[string]bool{}
	for _, text := range texts(g.files[file]) {
		_, behind, _ := strings.Cut(text, "=") // a generator may name a key and a file
		for _, name := range []string{text, behind} {
			if name == "" || len(name) > maxName {
				continue
			}
			at := path.Join(path.Dir(file), name)
			if _, found := g.files[at]; found {
				plain[at] = true
			}
			if inner, found := Root(g.files, at); found {
				rendered[inner] = true
			}
		}
	}
	for inner := range rendered {
		delete(plain, inner)
	}
	known = references{files: slices.Sorted(maps.Keys(plain)), kustomizations: slices.Sorted(maps.Keys(rendered))}
	g.from[file] = known
	return known
}

// maxName is the longest text that is taken for a name.
const maxName = 4096

func (g *graph) weigh(seen map[string]bool) {
	for file := range seen {
		g.bytes -= len(g.files[file])
	}
}

var word = regexp.MustCompile(`[^\s"'\[\]{},]+`)

// texts are all that is written in a kustomization: the scalars, or where it is no YAML, the words.
func texts(b []byte) []string {
	var root yaml3.Node
	if yaml3.Unmarshal(b, &root) != nil {
		return word.FindAllString(string(b), -1)
	}
	var all []string
	var walk func(n *yaml3.Node)
	walk = func(n *yaml3.Node) {
		if n.Kind == yaml3.ScalarNode {
			all = append(all, n.Value)
		}
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	walk(&root)
	return all
}

// component reports whether a kustomization says that it is a Component.
func component(b []byte) bool {
	var document yaml3.Node
	if yaml3.Unmarshal(b, &document) != nil || len(document.Content) == 0 {
		return false
	}
	top := document.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == "kind" {
			return top.Content[i+1].Value == types.ComponentKind
		}
	}
	return false
}
