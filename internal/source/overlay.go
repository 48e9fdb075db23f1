package source

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// PlanOver is what Plan cannot find for a field that is to be Set: where a base that others share makes it, the overlay gets a
// word of its own. That is an entry under replicas or images in its kustomization, or a line in a patch of its own about the
// object. No file and no patch is begun for it. It is proven like any other change, so an entry that would move a second
// container or a second object is refused. The error is a *Refusal.
func PlanOver(files map[string][]byte, roots map[string]Renderer, root string, a Ask, dry func(*unstructured.Unstructured) error) (Change, error) {
	m := &mapper{files: files, roots: roots, root: root}
	if err := m.begin(a.Object); err != nil {
		return Change{}, err
	}
	was, depth := follow(m.before[m.object], a.Field)
	if a.Op != Set || depth < len(a.Field) {
		return Change{}, refuse(NotFound, "%s is not in what is rendered", a.Field)
	}
	err := refuse(NotFound, "the overlay has no place for a word of its own about %s", a.Field)
	for _, c := range own(files, root, a, was) {
		var why error
		if c.Edit, why = Insert(files[c.File], c.Document, c.Path, c.Written); why == nil {
			why = Prove(files, roots, root, c, dry)
		}
		if why == nil {
			return c, nil
		}
		r := asRefusal(why)
		err = refuse(r.Rule, "%s: %s", c.File, r.Text)
	}
	return Change{}, err
}

// own are the places of a root in which it could say a field itself, those that say the most plainly what is meant first.
func own(files map[string][]byte, root string, a Ask, was any) []Change {
	place := Change{Op: Add, Moves: Set, Object: a.Object, Field: a.Field, Value: a.Value}
	var all []Change
	entry := func(list, name string, written map[string]any) {
		c := place
		c.File = kustomizationOf(files, root)
		c.Path, c.Written = Path{{Field: list}, {Keys: []Key{{Name: "name", Value: name}}}}, written
		all = append(all, c)
	}
	listed := kustomizationOf(files, root) != ""
	if listed && a.Field.String() == "spec.replicas" {
		for _, name := range names(files, a.Object) {
			entry("replicas", name, map[string]any{"count": a.Value})
		}
	}
	text, isText := a.Value.(string)
	old, wasText := was.(string)
	if fields := a.Field.Fields(); listed && isText && wasText && len(fields) > 0 && fields[len(fields)-1] == "image" {
		is, before := parseImage(text), parseImage(old)
		written := map[string]any{}
		for field, value := range map[string]string{"newTag": is.tag, "digest": is.digest} {
			if value != "" {
				written[field] = value
			}
		}
		if is.name != before.name {
			written["newName"] = is.name
		}
		if len(written) > 0 {
			entry("images", before.name, written)
		}
	}
	for _, h := range homes(files, root, a.Object) {
		if c := place; inside(root, h.file) {
			c.File, c.Document, c.Path, c.Written = h.file, h.document, a.Field, a.Value
			all = append(all, c)
		}
	}
	return all
}

// inside reports whether a file lies in the folder of a root.
func inside(root, file string) bool {
	folder := path.Clean(cmp.Or(root, "."))
	return folder == "." || len(file) > len(folder) && file[:len(folder)+1] == folder+"/"
}

func kustomizationOf(files map[string][]byte, root string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if file := path.Join(root, name); files[file] != nil {
			return file
		}
	}
	return ""
}

// names are what an object may be called where it is declared: a root may have lengthened its name.
func names(files map[string][]byte, n Name) []string {
	found := map[string]bool{n.Name: true}
	for _, h := range homes(files, "", n) {
		c := split(files[h.file])[h.document]
		document, err := asKubernetes(files[h.file][c.start:c.end])
		if err != nil {
			continue
		}
		if name, _ := follow(document, Path{{Field: "metadata"}, {Field: "name"}}); name != nil {
			if text, isText := name.(string); isText {
				found[text] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
