package render

import (
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
// whoever is about to change a file renders all that may read it.
func Around(files map[string][]byte, s Spec) (reads []string, others map[string][]string) {
	at, err := inside("", s.Path)
	if err != nil {
		return nil, nil
	}
	s.Path = at
	own := walk{files: files, seen: map[string]bool{}, missing: func(string) error { return nil }}
	_, _, _ = s.kustomization(&own) // what is wrong is said when it is rendered
	all := maps.Clone(own.seen)
	others = map[string][]string{}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file)) || own.seen[file] || component(files[file]) {
			continue
		}
		other := reach{files: files, seen: map[string]bool{}}
		other.kustomization(file)
		for read := range other.seen {
			if own.seen[read] {
				others[folderOf(file)] = slices.Sorted(maps.Keys(other.seen))
				maps.Copy(all, other.seen)
				break
			}
		}
	}
	return slices.Sorted(maps.Keys(all)), others
}

// Beside names what the others of Around would read and is not among the files, as Needs does for the folder itself.
func Beside(files map[string][]byte, folder string) []string {
	_, others := Around(files, Own(folder))
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

// reach goes through all that kustomizations may refer to: whatever text in them is the name of a file or of a folder with a
// kustomization.
type reach struct {
	files map[string][]byte
	seen  map[string]bool
}

func (r reach) kustomization(file string) {
	if r.seen[file] {
		return
	}
	r.seen[file] = true
	for _, text := range texts(r.files[file]) {
		_, behind, _ := strings.Cut(text, "=") // a generator may name a key and a file
		for _, name := range []string{text, behind} {
			at := path.Join(path.Dir(file), name)
			if _, found := r.files[at]; found && name != "" {
				r.seen[at] = true
			}
			if inner, found := Root(r.files, folderOf(path.Join(at, "x"))); found && name != "" {
				r.kustomization(inner)
			}
		}
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
