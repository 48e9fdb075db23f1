package drift

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"moorgate.dev/internal/source"
)

// Drift is one field that Git declares and whose live value is another, or one that a person added and Git does not declare.
type Drift struct {
	Path    source.Path
	Git     any // as the API server understands Git
	Live    any
	Missing bool // the live object does not have the field at all
	Added   bool // Git does not declare the field, and a person owns it; Git is nil
	// Unset: Git declares nothing but the zero value, which the API server does not keep. Git is that value, or nil.
	Unset       bool
	Delivered   bool   // the live value is the one that was delivered last
	Overwritten bool   // Git's value is the one that was delivered last
	Ahead       string // why Git may be ahead of the cluster, rather than the cluster of Git; only a look can tell
	Turns       int    // how often it began to differ in the last hour, this time among them
	Owner       Owner
	guard       bool // all of the object keeps workloads apart
	untried     bool // what an edit makes of it is not tried in a dry run
}

// Compare lists the drifts of a live object, by path. dry is what the API server answered to a dry run that applies Git's
// manifest over the live object; what Git declares are the fields that the answer says owner owns.
//
// Both objects come from the same API server at the same moment, so that a default or another way to write a quantity
// stands on both sides alike. A field that Git does not declare is a drift where a person added it.
func Compare(live, dry *unstructured.Unstructured, owner string) ([]Drift, error) {
	declared, err := declares(dry, owner)
	if err != nil {
		return nil, err
	}
	var drifts []Drift
	seen := map[string]bool{}
	declared.Leaves().Iterate(func(leaf fieldpath.Path) {
		d, field, differs := compareField(live.Object, dry.Object, leaf)
		if err != nil || !differs || seen[field.String()] {
			return
		}
		seen[field.String()] = true
		d.Path = written(field)
		if d.Owner, err = attribute(live.GetManagedFields(), field); err == nil && !d.Missing {
			err = delivery(live, field, &d)
		}
		drifts = append(drifts, d)
	})
	if err != nil {
		return nil, err
	}
	more, err := additions(live, declared)
	if err != nil {
		return nil, err
	}
	drifts = append(drifts, more...)
	slices.SortFunc(drifts, func(a, b Drift) int { return cmp.Compare(a.Path.String(), b.Path.String()) })
	return drifts, nil
}

// owned lists, by path, the fields that Git's manifest declares and a person owns, and whose live value is written in another way.
func owned(live, desired *unstructured.Unstructured) ([]Drift, error) {
	var drifts []Drift
	for _, e := range live.GetManagedFields() {
		if partyOf(e) != Person {
			continue
		}
		set, err := fields(e)
		if err != nil {
			return nil, err
		}
		for leaf := range set.Leaves().All() {
			want, declared := follow(desired.Object, leaf)
			got, has := follow(live.Object, leaf)
			if declared < len(leaf) || has < len(leaf) || equality.Semantic.DeepEqual(want, got) {
				continue
			}
			d := Drift{Path: written(leaf), Git: want, Live: got}
			if d.Owner, err = attribute(live.GetManagedFields(), leaf); err != nil {
				return nil, err
			}
			drifts = append(drifts, d)
		}
	}
	byPath := func(a, b Drift) int { return cmp.Compare(a.Path.String(), b.Path.String()) }
	slices.SortFunc(drifts, byPath)
	return slices.CompactFunc(drifts, func(a, b Drift) bool { return byPath(a, b) == 0 }), nil
}

// declares is the set of fields that the dry run set.
func declares(dry *unstructured.Unstructured, owner string) (*fieldpath.Set, error) {
	for _, e := range dry.GetManagedFields() {
		if e.Manager == owner && e.Operation == metav1.ManagedFieldsOperationApply {
			return fields(e)
		}
	}
	return nil, fmt.Errorf("the API server's answer to the dry run does not say which fields it set")
}

// compareField compares one declared field. Where the live object lacks not only the field but all that holds it, the
// drift is about the uppermost part that it lacks, so that a missing container is one drift and not one a field.
//
// What the dry run owns and does not have is a value that the API server does not keep, as it keeps no false and no empty
// list where that is what leaving the field out means. A live value is then a drift: hostNetwork: false in Git is a word.
func compareField(live, dry map[string]any, leaf fieldpath.Path) (Drift, fieldpath.Path, bool) {
	want, kept := follow(dry, leaf)
	got, depth := follow(live, leaf)
	switch {
	case kept < len(leaf) || empty(want):
		if depth < len(leaf) || zero(got) {
			return Drift{}, nil, false
		}
		return Drift{Git: zeroOf(got), Live: got, Unset: true}, leaf.Copy(), true
	case depth == len(leaf):
		return Drift{Git: want, Live: got}, leaf.Copy(), !equality.Semantic.DeepEqual(want, got)
	}
	field := leaf[:depth+1].Copy()
	want, _ = follow(dry, field)
	return Drift{Git: want, Missing: true}, field, true
}

// follow goes down a path as far as it leads, and says how many steps that were.
func follow(at any, p fieldpath.Path) (any, int) {
	for i, step := range p {
		next, ok := down(at, step)
		if !ok {
			return nil, i
		}
		at = next
	}
	return at, len(p)
}

func down(at any, step fieldpath.PathElement) (any, bool) {
	if step.FieldName != nil {
		m, _ := at.(map[string]any)
		v, ok := m[*step.FieldName]
		return v, ok
	}
	list, _ := at.([]any)
	if step.Index != nil {
		if i := *step.Index; i >= 0 && i < len(list) {
			return list[i], true
		}
		return nil, false
	}
	for _, item := range list {
		if step.Value != nil && value.Equals(*step.Value, value.NewValueInterface(item)) {
			return item, true
		}
		if step.Key != nil && keyed(item, *step.Key) {
			return item, true
		}
	}
	return nil, false
}

func keyed(item any, keys value.FieldList) bool {
	m, ok := item.(map[string]any)
	for _, k := range keys {
		v, has := m[k.Name]
		if !has || !value.Equals(k.Value, value.NewValueInterface(v)) {
			return false
		}
	}
	return ok
}

func empty(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(t) == 0
	case []any:
		return len(t) == 0
	}
	return false
}

// zeroOf is the value that a field of this value's type has where nobody sets it: nil for maps and lists.
func zeroOf(v any) any {
	switch v.(type) {
	case bool:
		return false
	case string:
		return ""
	case int64:
		return int64(0)
	case float64:
		return float64(0)
	}
	return nil
}

func zero(v any) bool { return empty(v) || equality.Semantic.DeepEqual(v, zeroOf(v)) }

// written is the path in the words that package source has for it.
func written(p fieldpath.Path) source.Path {
	out := make(source.Path, len(p))
	for i, step := range p {
		switch {
		case step.FieldName != nil:
			out[i].Field = *step.FieldName
		case step.Key != nil:
			for _, k := range *step.Key {
				out[i].Keys = append(out[i].Keys, source.Key{Name: k.Name, Value: k.Value.Unstructured()})
			}
		case step.Value != nil:
			out[i].Value = (*step.Value).Unstructured()
		case step.Index != nil:
			out[i].Index = step.Index
		}
	}
	return out
}
