package source

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Given is a value that a document does not state yet, and that makes a rendered field once it does: a value of a chart, which has
// one of its own as long as nobody gives it another.
type Given struct {
	Path    Path // within the document
	Written any
}

// PlanGiven is what Plan cannot find, because nothing in Git makes the field: one of several values is stated in a document about the
// given object, one in the folder of the root before others. The change is proven like any other. Where two values would do, which
// of them is meant is not known, and none is stated. The error is a *Refusal.
func PlanGiven(files map[string][]byte, roots map[string]Renderer, root string, about Name, folder string, all []Given, a Ask, dry func(*unstructured.Unstructured) error) (Change, error) {
	var found []Change
	err := refuse(NotFound, "no value in Git makes %s, and none that could be stated there", a.Field)
	for _, g := range all {
		for _, h := range homes(files, folder, about) {
			c := Change{File: h.file, Document: h.document, Path: g.Path, Written: g.Written, Op: Add, Moves: a.Op, Object: a.Object, Field: a.Field, Value: a.Value}
			var why error
			if c.Edit, why = Insert(files[c.File], c.Document, c.Path, c.Written); why == nil {
				why = Prove(files, roots, root, c, nil)
			}
			if why == nil {
				found = append(found, c)
				break
			}
			r := asRefusal(why)
			err = refuse(r.Rule, "%s: %s", c.File, r.Text)
		}
	}
	switch len(found) {
	case 0:
		return Change{}, err
	case 1:
		return found[0], Prove(files, roots, root, found[0], dry)
	}
	return Change{}, refuse(Composite, "%s and %s would each make %s, and which is meant is not known", found[0].Path, found[1].Path, a.Field)
}

// Parts are a value and, where it is that of a field that holds an image, its parts: what one scalar of a source may make of it.
func Parts(value any, p Path) map[Part]any {
	parts := map[Part]any{WholeValue: value}
	names := p.Fields()
	if text, isText := value.(string); isText && len(names) > 0 && names[len(names)-1] == "image" {
		i := parseImage(text)
		for part, word := range map[Part]string{ImageName: i.name, ImageTag: i.tag, ImageDigest: i.digest} {
			if word != "" {
				parts[part] = word
			}
		}
	}
	return parts
}

// Replaced is a value with one of its parts replaced.
func Replaced(value any, p Part, text any) any { return replaced(value, p, text) }

// PartOf is what a part of a value must become so that the value becomes another; where other parts would have to change too, it is a
// *Refusal.
func PartOf(was, want any, p Part) (any, error) { return partOf(was, want, p) }

// Same reports whether two JSON scalars are equal, whichever Go types hold their numbers.
func Same(a, b any) bool { return same(a, b) }
