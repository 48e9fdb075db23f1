package source

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Ask is what is wanted of a rendered field.
type Ask struct {
	Object Name
	Field  Path
	Op     Op
	Value  any
}

// Plan finds the change of one file that gives a rendered field what is asked, and proves it: Prove says what that means
// and what dry is. The error is a *Refusal.
func Plan(files map[string][]byte, roots map[string]Renderer, root string, a Ask, dry func(*unstructured.Unstructured) error) (Change, error) {
	if a.Op == Set {
		return planSet(files, roots, root, a, dry)
	}
	var last error
	for _, place := range homes(files, root, a.Object) {
		c := Change{File: place.file, Document: place.document, Path: a.Field, Op: a.Op, Object: a.Object, Field: a.Field}
		var err error
		if a.Op == Add {
			c.Value, c.Written = a.Value, a.Value
			c.Edit, err = Insert(files[c.File], c.Document, c.Path, a.Value)
		} else {
			c.Edit, err = Remove(files[c.File], c.Document, c.Path)
		}
		if err == nil {
			err = Prove(files, roots, root, c, dry)
		}
		if err == nil {
			return c, nil
		}
		if r := asRefusal(err); last == nil || r.Rule != NotFound {
			last = refuse(r.Rule, "%s: %s", c.File, r.Text)
		}
	}
	if last == nil {
		last = refuse(NotFound, "no document in Git is about %s %s", a.Object.Kind, a.Object.Name)
	}
	return Change{}, last
}

// PlanAt is Plan for an object that one document declares: the field is changed there, and looked for nowhere else.
func PlanAt(files map[string][]byte, roots map[string]Renderer, root string, o Object, a Ask, dry func(*unstructured.Unstructured) error) (Change, error) {
	c := Change{File: o.File, Document: o.Document, Path: a.Field, Written: a.Value, Op: a.Op, Object: a.Object, Field: a.Field, Value: a.Value}
	var err error
	switch a.Op {
	case Set:
		c.Edit, err = Splice(files[c.File], c.Document, c.Path, a.Value)
	case Add:
		c.Edit, err = Insert(files[c.File], c.Document, c.Path, a.Value)
	case Drop:
		c.Written, c.Value = nil, nil
		c.Edit, err = Remove(files[c.File], c.Document, c.Path)
	default:
		err = refuse(NotProven, "nobody said what to do with %s", a.Field)
	}
	if err != nil {
		return Change{}, err
	}
	return c, Prove(files, roots, root, c, dry)
}

func planSet(files map[string][]byte, roots map[string]Renderer, root string, a Ask, dry func(*unstructured.Unstructured) error) (Change, error) {
	o, err := mapField(files, roots, root, a.Object, a.Field, func(value any, part Part) error {
		_, err := partOf(value, a.Value, part)
		return err
	})
	if err != nil {
		return Change{}, err
	}
	c := Change{File: o.File, Document: o.Document, Path: o.Path, Op: Set, Object: a.Object, Field: a.Field, Value: a.Value}
	if c.Written, err = partOf(o.Value, a.Value, o.Part); err != nil {
		return Change{}, err
	}
	if c.Edit, err = Splice(files[c.File], c.Document, c.Path, c.Written); err != nil {
		return Change{}, err
	}
	return c, Prove(files, roots, root, c, dry)
}

// home is a document that is about an object.
type home struct {
	file     string
	document int
}

// homes are the documents that are about an object, those in the folder of the root first: its own patch or manifest is
// where a field is added, and not the base.
func homes(files map[string][]byte, root string, n Name) []home {
	var own, shared []home
	for _, file := range slices.Sorted(maps.Keys(files)) {
		b := files[file]
		if !bytes.Contains(b, []byte(n.Kind)) {
			continue
		}
		for i, c := range split(b) {
			document, err := asKubernetes(b[c.start:c.end])
			switch {
			case err != nil || !about(document, n):
			case inside(root, path.Clean(file)):
				own = append(own, home{file: file, document: i})
			default:
				shared = append(shared, home{file: file, document: i})
			}
		}
	}
	return append(own, shared...)
}

// about reports whether a document declares or patches an object, whose name a root may have lengthened.
func about(document any, n Name) bool {
	m, _ := document.(map[string]any)
	apiVersion, _ := m["apiVersion"].(string)
	metadata, _ := m["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return m["kind"] == n.Kind && schema.FromAPIVersionAndKind(apiVersion, n.Kind).Group == n.Group && name != "" && strings.Contains(n.Name, name)
}
