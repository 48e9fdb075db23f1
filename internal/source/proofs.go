package source

import (
	"bytes"
	"cmp"
	"errors"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Change is one file of a repository with one field changed, and the rendered field that this is for.
type Change struct {
	File     string
	Document int
	Path     Path // within the document
	Written  any  // what stands there then; nil where it is dropped
	Edit     Edit

	Op     Op
	Moves  Op // what happens to the rendered field, where that is something else than what happens in the file; empty: it is Op
	Object Name
	Field  Path // of the object
	Value  any  // that the field then has; nil where it is dropped
}

// Moved is what happens to the rendered field.
func (c Change) Moved() Op { return cmp.Or(c.Moves, c.Op) }

// Prove shows that a change does what it is for and nothing else, with five proofs: exactly its own place changes in the
// file; few lines change; what frames the file stays (byte order mark, line ends, a missing last line end, documents); all
// roots rendered again move exactly this field of this object of this root; and dry, which the caller has the API server
// answer, finds no drift left in the new desired state. dry may be nil. What is not proven is a *Refusal with its rule.
func Prove(files map[string][]byte, roots map[string]Renderer, root string, c Change, dry func(*unstructured.Unstructured) error) error {
	before, after := files[c.File], c.Edit.Bytes
	proof := func() error { return proveDocument(before, after, c.Document, c.Op, c.Path, c.Written) }
	if c.Op == Set {
		proof = func() error { return prove(before, after, c.Document, c.Path, c.Written) }
	}
	for _, step := range []func() error{
		proof,
		func() error { return proveSize(before, after, c.Op) },
		func() error { return proveFraming(before, after) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	object, err := proveRender(files, roots, root, c)
	if err != nil || dry == nil {
		return err
	}
	if err := dry(object); err != nil {
		var r *Refusal
		if errors.As(err, &r) {
			return r
		}
		return refuse(DryRun, "the API server does not confirm it: %v", err)
	}
	return nil
}

// proveSize compares line by line from both ends.
func proveSize(before, after []byte, op Op) error {
	old, now := lineList(before), lineList(after)
	head := 0
	for head < len(old) && head < len(now) && bytes.Equal(old[head], now[head]) {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(now)-head && bytes.Equal(old[len(old)-1-tail], now[len(now)-1-tail]) {
		tail++
	}
	gone, come := len(old)-head-tail, len(now)-head-tail
	fits := map[Op]bool{Set: gone <= 1 && come <= 1, Add: gone == 0 && come <= mostLines, Drop: come == 0 && gone <= mostLines}
	if !fits[op] {
		return refuse(Large, "%d lines would go and %d come", gone, come)
	}
	return nil
}

// lineList is a file's lines without their ends.
func lineList(file []byte) [][]byte {
	var list [][]byte
	for line := range bytes.Lines(file) {
		list = append(list, bytes.TrimRight(line, "\r\n"))
	}
	return list
}

func proveFraming(before, after []byte) error {
	crlf := func(b []byte) bool { return bytes.Count(b, []byte("\r\n")) == bytes.Count(b, []byte("\n")) }
	mixed := func(b []byte) bool { return bytes.Contains(b, []byte("\r\n")) && !crlf(b) }
	ends := func(b []byte) bool { return bytes.Contains(b, []byte("\n")) }
	bom := []byte("\ufeff")
	switch {
	case bytes.HasPrefix(before, bom) != bytes.HasPrefix(after, bom),
		bytes.HasSuffix(before, []byte("\n")) != bytes.HasSuffix(after, []byte("\n")),
		!mixed(before) && ends(before) && ends(after) && (mixed(after) || crlf(before) != crlf(after)),
		len(split(before)) != len(split(after)):
		return refuse(Framing, "the byte order mark, the line ends or the number of documents would change")
	}
	return nil
}

// proveRender answers the object as it would be.
func proveRender(files map[string][]byte, roots map[string]Renderer, root string, c Change) (*unstructured.Unstructured, error) {
	m := &mapper{files: files, roots: roots, root: root}
	if err := m.begin(c.Object); err != nil {
		return nil, err
	}
	changed := maps.Clone(files)
	changed[c.File] = c.Edit.Bytes
	after, err := render(roots[root], changed)
	if err != nil {
		return nil, refuse(NotRead, "the root cannot be rendered any more")
	}
	if n := len(m.before.others(after, m.object)); n > 0 {
		return nil, refuse(Shared, "%d other objects would move", n)
	}
	value, err := normal(c.Value)
	if err != nil {
		return nil, refuse(NotScalar, "the value cannot be written")
	}
	op := c.Moved()
	if !moved(m.before[m.object], after[m.object], op, c.Field, value) {
		now, depth := follow(after[m.object], c.Field)
		if took := depth == len(c.Field) && same(now, value); op != Drop && !took {
			return nil, refuse(NoEffect, "%s would not take the value", c.Field)
		}
		return nil, refuse(Shared, "more than %s would move", c.Field)
	}
	if err := m.elsewhere(changed); err != nil {
		return nil, err
	}
	content, _ := after[m.object].(map[string]any)
	return &unstructured.Unstructured{Object: content}, nil
}
