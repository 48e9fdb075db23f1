package source

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	yaml3 "go.yaml.in/yaml/v3"
)

// tally counts what came of trying every kind of edit.
type tally struct {
	files, unread int
	done          map[string]int
	refused       map[string]map[string]int // by kind of edit, by rule
}

func (n *tally) count(t *testing.T, kind string, err error) bool {
	if err == nil {
		n.done[kind]++
		return true
	}
	var r *Refusal
	if !errors.As(err, &r) {
		t.Errorf("%s: %v is no refusal", kind, err)
		return false
	}
	if n.refused[kind] == nil {
		n.refused[kind] = map[string]int{}
	}
	n.refused[kind][r.Rule]++
	return false
}

// spots are the scalars, maps, lists and entries of a document.
type spots struct {
	scalars, maps, lists, entries []Path
}

func (s *spots) walk(n *yaml3.Node, p Path) {
	p = slices.Clip(p)
	switch n.Kind {
	case yaml3.ScalarNode:
		s.scalars = append(s.scalars, p)
	case yaml3.MappingNode:
		s.maps = append(s.maps, p)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "" {
				s.entries = append(s.entries, append(p, Step{Field: n.Content[i].Value}))
				s.walk(n.Content[i+1], append(p, Step{Field: n.Content[i].Value}))
			}
		}
	case yaml3.SequenceNode:
		s.lists = append(s.lists, p)
		for i, item := range n.Content {
			s.entries = append(s.entries, append(p, Step{Index: &i}))
			s.walk(item, append(p, Step{Index: &i}))
		}
	}
}

// some is at most n of many, evenly.
func some(all []Path, n int) []Path {
	if len(all) <= n {
		return all
	}
	var few []Path
	for i := range n {
		few = append(few, all[i*len(all)/n])
	}
	return few
}

func (n *tally) file(t *testing.T, name string, file []byte, most int) {
	n.files++
	for i, c := range split(file) {
		root, err := node(file[c.start:c.end])
		if i == 3 {
			return
		}
		if err != nil || root == nil {
			n.unread++
			continue
		}
		var s spots
		s.walk(root, nil)
		for _, p := range some(s.scalars, most) {
			n.splice(t, name, file, i, p)
		}
		for _, p := range some(s.maps, most) {
			n.insert(t, name, file, i, append(p, Step{Field: "zq7"}), map[string]any{"a": "yes", "list": []any{"x", map[string]any{"name": "n", "v": int64(1)}}})
		}
		for _, p := range some(s.lists, most) {
			n.insert(t, name, file, i, append(p, Step{Keys: []Key{{"name", "zq7"}}}), map[string]any{"value": "a: b"})
		}
		for _, p := range some(s.entries, most) {
			e, err := Remove(file, i, p)
			if n.count(t, "remove", err) {
				n.check(t, name+" "+p.String(), file, e.Bytes, Drop)
			}
		}
	}
}

func (n *tally) splice(t *testing.T, name string, file []byte, document int, p Path) {
	e, err := Splice(file, document, p, "zq7: #x")
	if !n.count(t, "splice", err) {
		return
	}
	n.check(t, name+" "+p.String(), file, e.Bytes, Set)
	if same, err := Splice(file, document, p, e.Old); err == nil && !bytes.Equal(same.Bytes, file) {
		t.Errorf("%s %s: its own value changes the file", name, p)
	}
}

func (n *tally) insert(t *testing.T, name string, file []byte, document int, p Path, value any) {
	e, err := Insert(file, document, p, value)
	if !n.count(t, "insert", err) {
		return
	}
	n.check(t, name+" "+p.String(), file, e.Bytes, Add)
	back, err := Remove(e.Bytes, document, p)
	if n.count(t, "remove what was inserted", err) && !bytes.Equal(back.Bytes, file) {
		t.Errorf("%s %s: inserted and removed it is another file", name, p)
	}
}

func (n *tally) check(t *testing.T, what string, before, after []byte, op Op) {
	if err := errors.Join(proveSize(before, after, op), proveFraming(before, after)); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func (n *tally) told(t *testing.T) {
	t.Logf("%d files, %d documents that are not read", n.files, n.unread)
	for _, kind := range slices.Sorted(maps.Keys(n.done)) {
		t.Logf("%s: %d done and proven, refused %v", kind, n.done[kind], n.refused[kind])
	}
}

// mostPublic is how many public files are tried. They are taken evenly, so that no one module is most of them.
const mostPublic = 1000

// TestEditsOfPublicFiles tries every kind of edit on the YAML files that other modules brought along.
func TestEditsOfPublicFiles(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	root := strings.TrimSpace(string(out))
	if err != nil || root == "" {
		t.Skip("0 files: there is no module cache")
	}
	var names []string
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(name); err == nil && !d.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, name)
		}
		return nil //nolint:nilerr // what cannot be read is passed over
	})
	n := tally{done: map[string]int{}, refused: map[string]map[string]int{}}
	seen, take := map[string]bool{}, min(len(names), mostPublic)
	for i := range take {
		name := names[i*len(names)/take]
		b, err := os.ReadFile(name)
		if err == nil && len(b) < 32<<10 && !seen[string(b)] {
			seen[string(b)] = true
			n.file(t, strings.TrimPrefix(name, root), b, 3)
		}
	}
	if n.files == 0 {
		t.Skip("0 files in the module cache")
	}
	n.told(t)
}
