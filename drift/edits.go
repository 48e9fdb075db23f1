package drift

import (
	"fmt"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// adopted is a file of plain manifests with the live value of one drift in it, proven down to the objects that it makes.
func adopted(file []byte, o source.Object, d Drift) (source.Edit, error) {
	c := source.Change{File: o.File, Document: o.Document, Path: d.Path, Op: source.Set, Written: d.Live, Object: o.Name, Field: d.Path, Value: d.Live}
	var err error
	switch {
	case d.Missing:
		c.Op, c.Written, c.Value = source.Drop, nil, nil
		c.Edit, err = source.Remove(file, o.Document, d.Path)
	case d.Added:
		c.Op = source.Add
		c.Edit, err = source.Insert(file, o.Document, d.Path, d.Live)
	default:
		c.Edit, err = source.Splice(file, o.Document, d.Path, d.Live)
	}
	if err != nil {
		return source.Edit{}, err
	}
	root := map[string]source.Renderer{"": source.Plain(o.Namespace)}
	return c.Edit, source.Prove(map[string][]byte{o.File: file}, root, "", c, nil)
}

// adopt notes an edit as people and the gate see it. The words of the file are not repeated where lines go: they may hold
// a comment.
func (p *proposal) adopt(d Drift, e source.Edit) {
	p.edit = gate.Edit{Path: d.Path.String()}
	if !d.Added {
		p.edit.Old = asJSON(e.Old)
	}
	if !d.Missing {
		p.edit.New = asJSON(d.Live)
	}
	text := "- " + e.OldText + " + " + e.NewText
	switch names := d.Path.Fields(); {
	case d.Missing:
		text = fmt.Sprintf("- %s: %s", names[len(names)-1], p.edit.Old)
	case d.Added:
		text = "+ " + e.NewText
	}
	p.text = gate.OneLine(text, 1024)
}
