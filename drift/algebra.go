package drift

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// says reports whether a live object is known to say what Git says without asking the API server what it makes of Git. false is no
// drift: it only says that a dry run has to tell.
//
// A value that stands in Git and live in the same letters needs no dry run: what is live was made canonical when it was stored, and to
// do so again changes nothing. What has to be known besides is how far to look into a value: whether a list is one value, of which
// another item is another value, or a set of items by key, of which others may hold more. No schema is needed for that, because
// managedFields name fields in just the steps in which the API server merges them: where they go no deeper, all has to be the same.
//
// What people added is found by the same algebra as after a dry run; where anything is, the dry run tells it.
func says(live, desired *unstructured.Unstructured) (bool, error) {
	steps := &fieldpath.Set{}
	for _, e := range live.GetManagedFields() {
		if e.Subresource == "status" || e.APIVersion != live.GetAPIVersion() {
			continue // in another version fields may be merged in other steps
		}
		set, err := fields(e)
		if err != nil {
			return false, err
		}
		steps = steps.Union(set)
	}
	// Nobody owns the name of an object, and of its labels and annotations everybody knows that each is a value by itself.
	steps.Insert(fieldpath.MakePathOrDie("metadata", "name"))
	for _, entries := range []string{"labels", "annotations"} {
		all, _, _ := unstructured.NestedMap(desired.Object, "metadata", entries)
		for name := range all {
			steps.Insert(fieldpath.MakePathOrDie("metadata", entries, name))
		}
	}
	declared := &fieldpath.Set{}
	if !alike(desired.Object, live.Object, steps, nil, declared) {
		return false, nil
	}
	who, err := untold(live)
	if err != nil || who != "" {
		return false, err
	}
	added, err := additions(live, declared)
	return err == nil && len(added) == 0, err
}

// alike compares what Git declares at a path with what is live there, and notes in declared how far it looked.
func alike(git, live any, steps *fieldpath.Set, at fieldpath.Path, declared *fieldpath.Set) bool {
	if steps.Empty() {
		declared.Insert(at.Copy())
		return equality.Semantic.DeepEqual(git, live)
	}
	switch g := git.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok || len(g) == 0 {
			return false // what an empty map means a dry run tells
		}
		for name, want := range g {
			got, has := l[name]
			step := fieldpath.PathElement{FieldName: &name}
			if !has || !alike(want, got, steps.WithPrefix(step), append(at, step), declared) {
				return false
			}
		}
		return true
	case []any:
		seen := map[string]bool{}
		for _, want := range g {
			step, ok := itemStep(steps, want)
			got, has := down(live, step)
			if !ok || !has || seen[step.String()] {
				return false // an item that is declared twice is refused by a dry run
			}
			seen[step.String()] = true
			declared.Insert(append(at, step).Copy())
			if inside := steps.WithPrefix(step); step.Value == nil && !alike(want, got, inside, append(at, step), declared) {
				return false
			}
		}
		return len(g) > 0
	}
	return false
}

// itemStep is the step that leads to an item of a list. Ports are told apart by their protocol too, and it is TCP where none is
// written: of all keys of the kinds in the table, this one alone has a default.
func itemStep(steps *fieldpath.Set, item any) (fieldpath.PathElement, bool) {
	if m, ok := item.(map[string]any); ok && m["protocol"] == nil {
		with := map[string]any{"protocol": "TCP"}
		for name, v := range m {
			with[name] = v
		}
		item = with
	}
	return stepTo(steps, item)
}
