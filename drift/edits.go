package drift

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// ground is what edits are made on.
type ground struct {
	files  map[string][]byte // by their paths from the repository's root; never changed
	folder string            // that declares the objects
	spec   render.Spec       // how it is rendered
	others map[string]*other // the other kustomizations that may read a file which the folder reads, by their folders
	partly string            // why there may be more of them beyond the folder; empty: there are no more
	commit string            // of the files
	values *values           // where Helm makes the objects; nil: it does not
	// crowded says why the others cannot be gone through, so that nothing is edited; nil: they can.
	crowded error
	over    func() error // says that there is no more time to render; nil: there is
}

// groundOf is the ground of a folder in what was read of a repository, which declares the objects. No edit is about a Secret.
func groundOf(read Tree, spec render.Spec, objects []folded) ground {
	g := ground{files: map[string][]byte{}, folder: path.Clean(cmp.Or(spec.Path, ".")), spec: spec, others: map[string]*other{}, partly: read.Partly, commit: read.Commit}
	reads, others, err := render.Around(read.Files, spec)
	g.crowded = err
	for _, file := range reads {
		g.files[file] = read.Files[file]
	}
	for _, o := range objects {
		if o.Root == "" && !secretName(o.Name) {
			g.files[o.File] = read.Files[o.File]
		}
	}
	for name, reads := range others {
		name = cmp.Or(name, ".")
		g.others[name] = &other{name: name, reads: reads, files: g.files, render: render.Kustomize(render.Spec{Path: name})}
	}
	return g
}

// roots are all renderers that an edit is proven with, that of the object among them, and its name.
func (g ground) roots(o source.Object) (all map[string]source.Renderer, root string) {
	all = map[string]source.Renderer{}
	for name, other := range g.others {
		all[name] = g.timed(other.moved)
	}
	if o.Root != "" {
		all[g.folder] = g.timed(render.Kustomize(g.spec))
		return all, g.folder
	}
	plain := source.Plain(o.Namespace)
	all[""] = func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		return plain(map[string][]byte{o.File: files[o.File]})
	}
	return all, ""
}

// timed is a Renderer that fails once there is no more time.
func (g ground) timed(r source.Renderer) source.Renderer {
	return func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		if g.over != nil && g.over() != nil {
			return nil, g.over()
		}
		return r(files)
	}
}

// change is the file with the live value of one drift in it, proven down to the objects that all roots make of it.
func (g ground) change(files map[string][]byte, o source.Object, d Drift, dry func(*unstructured.Unstructured) error) (source.Change, error) {
	if g.crowded != nil {
		return source.Change{}, g.crowded
	}
	ask := source.Ask{Object: o.Name, Field: d.Path, Op: d.op(), Value: d.Live}
	if ask.Op == source.Drop {
		ask.Value = nil
	}
	var c source.Change
	var err error
	roots, root := g.roots(o)
	switch {
	case g.values != nil:
		c, err = g.value(files, ask, dry)
	case o.Root != "":
		c, err = source.Plan(files, roots, root, ask, dry)
		var shared *source.Refusal
		if errors.As(err, &shared) && shared.Rule == source.Shared && ask.Op == source.Set {
			if over, none := source.PlanOver(files, roots, root, ask, dry); none == nil {
				c, err = over, nil
			}
		}
	default:
		c, err = source.PlanAt(files, roots, root, o, ask, dry)
	}
	if err == nil && g.partly != "" && g.folder != "." && !strings.HasPrefix(c.File, g.folder+"/") {
		return c, fmt.Errorf("%s lies beyond the folder, and who else reads it is not known: %s", fileName(c.File), g.partly)
	}
	return c, err
}

// op is what adopting a drift does to the field.
func (d Drift) op() source.Op {
	switch {
	case d.Missing:
		return source.Drop
	case d.Added:
		return source.Add
	}
	return source.Set
}

// adopt notes a change as people and the gate see it. The words of the file are not repeated where lines go: they may hold
// a comment.
func (p *proposal) adopt(o source.Object, d Drift, c source.Change) {
	if o.Root != "" || c.File != o.File {
		p.where = fmt.Sprintf("%s:%d", fileName(c.File), c.Edit.Line)
	}
	p.edit = gate.Edit{Path: d.Path.String()}
	if !d.Added {
		p.edit.Old = asJSON(declaredAs(o, d.Path, c.Edit.Old))
	}
	if !d.Missing {
		p.edit.New = asJSON(d.Live)
	}
	text := "- " + c.Edit.OldText + " + " + c.Edit.NewText
	switch names := d.Path.Fields(); c.Op {
	case source.Drop:
		text = fmt.Sprintf("- %s: %s", names[len(names)-1], p.edit.Old)
	case source.Add:
		text = "+ " + c.Edit.NewText
	}
	p.text = gate.OneLine(text, 1024)
}

// declaredAs is the value that Git declares for a field of an object, or what stands in the file where that cannot be told.
func declaredAs(o source.Object, p source.Path, written any) any {
	if o.Desired == nil {
		return written
	}
	if v, declared := source.At(o.Desired.Object, p); declared {
		return v
	}
	return written
}
