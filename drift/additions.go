package drift

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// additions lists what people added to a live object that Git does not declare: an environment variable, a toleration, a label. A dry
// run cannot see these, because it tells of the fields that it sets and of no others.
//
// It is the algebra of managedFields: what people own, less what is declared, and less what whoever delivers owns too. What nobody owns
// was set by the API server or by an admission webhook, and is not looked at. Where Git lacks a whole part, that part is one addition, of
// those of its fields that people own; of a list it is each item.
func additions(live *unstructured.Unstructured, declared *fieldpath.Set) ([]Drift, error) {
	theirs, err := peoples(live)
	if err != nil {
		return nil, err
	}
	found := map[string]Drift{}
	for leaf := range theirs.All() {
		depth := max(leads(declared, leaf), entry(leaf))
		if depth >= len(leaf) {
			continue
		}
		for depth+1 < len(leaf) && leaf[depth+1].Key != nil {
			depth++ // a list that Git lacks too: each item is an addition of its own
		}
		field := leaf[:depth+1].Copy()
		if _, seen := found[field.String()]; seen {
			continue
		}
		has, there := follow(live.Object, field)
		if there < len(field) {
			continue // it is owned, and gone: nothing is added
		}
		d := Drift{Path: written(field), Live: kept(has, below(theirs, field)), Added: true}
		if d.Owner, err = attribute(live.GetManagedFields(), leaf); err == nil {
			err = delivery(live, field, &d)
		}
		if err != nil {
			return nil, err
		}
		found[field.String()] = d
	}
	return slices.Collect(maps.Values(found)), nil
}

// peoples are the fields that people own and that nobody owns who delivers or sets fields as their work.
func peoples(live *unstructured.Unstructured) (*fieldpath.Set, error) {
	theirs, others := &fieldpath.Set{}, &fieldpath.Set{}
	for _, e := range live.GetManagedFields() {
		set, err := fields(e)
		if err != nil {
			return nil, err
		}
		switch {
		case e.Subresource == "status":
		case partyOf(e) == Person:
			theirs = theirs.Union(set)
		case partyOf(e) != "":
			others = others.Union(set)
		}
	}
	return theirs.Difference(others).Leaves(), nil
}

// untold names a person who owns fields by names that they have in another version of the API than the one the object was read in; empty
// where there is none. What of theirs was added or changed cannot be told.
func untold(live *unstructured.Unstructured) (string, error) {
	for _, e := range live.GetManagedFields() {
		if e.Subresource == "status" || e.APIVersion == live.GetAPIVersion() || partyOf(e) != Person {
			continue
		}
		set, err := fields(e)
		if err != nil {
			return "", err
		}
		for leaf := range set.Leaves().All() {
			if _, there := follow(live.Object, leaf); there < len(leaf) {
				return e.Manager + " in version " + e.APIVersion, nil
			}
		}
	}
	return "", nil
}

// leads is how many steps of a path lead over what is declared.
func leads(declared *fieldpath.Set, p fieldpath.Path) int {
	for i, step := range p {
		deeper := declared.WithPrefix(step)
		if !declared.Members.Has(step) && deeper.Empty() {
			return i
		}
		declared = deeper
	}
	return len(p)
}

// entry is the step of a path that leads to an entry of annotations, of labels or of metadata itself, 0 where none does: each is an
// addition of its own.
func entry(p fieldpath.Path) int {
	at := 0
	for i := 1; i < len(p); i++ {
		if name := p[i-1].FieldName; name != nil && slices.Contains([]string{"annotations", "labels", "metadata"}, *name) && p[i].FieldName != nil {
			at = i
		}
	}
	return at
}

func below(set *fieldpath.Set, p fieldpath.Path) *fieldpath.Set {
	for _, step := range p {
		set = set.WithPrefix(step)
	}
	return set
}

// kept is the part of a live value that a set of fields holds: all of it, where the set goes no deeper. The keys that tell an item
// of a list apart come along.
func kept(has any, set *fieldpath.Set) any {
	if set.Empty() {
		return has
	}
	switch v := has.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			step := fieldpath.PathElement{FieldName: &name}
			if deeper := set.WithPrefix(step); set.Members.Has(step) || !deeper.Empty() {
				out[name] = kept(inner, deeper)
			}
		}
		return out
	case []any:
		var out []any
		for _, item := range v {
			if step, ok := stepTo(set, item); ok {
				out = append(out, keptItem(item, step, set.WithPrefix(step)))
			}
		}
		return out
	}
	return has
}

func keptItem(item any, step fieldpath.PathElement, set *fieldpath.Set) any {
	out := kept(item, set)
	m, isMap := out.(map[string]any)
	if step.Key == nil || !isMap {
		return out
	}
	for _, k := range *step.Key {
		if _, has := m[k.Name]; !has {
			m[k.Name] = k.Value.Unstructured()
		}
	}
	return m
}

// stepTo is the step of a set that leads to an item of a list.
func stepTo(set *fieldpath.Set, item any) (fieldpath.PathElement, bool) {
	var found fieldpath.PathElement
	ok := false
	look := func(step fieldpath.PathElement) {
		if !ok && (step.Key != nil && keyed(item, *step.Key) || step.Value != nil && value.Equals(*step.Value, value.NewValueInterface(item))) {
			found, ok = step, true
		}
	}
	set.Members.Iterate(look)
	set.Children.Iterate(look)
	return found, ok
}
