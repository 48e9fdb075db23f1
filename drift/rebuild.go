package drift

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// Adoption is what makes Git say what a live object says.
type Adoption struct {
	// Action is the item on the menu: its PlanDigest is that of the plan which was judged, as long as neither Git nor the live
	// values have moved.
	Action gate.Action
	Places []string          // file and line of each of its Edits: "deploy/web.yaml:14"
	Files  map[string][]byte // the whole new content of each file that changes, by its path from the repository's root

	proposals []proposal
}

// rebuild makes the edits of an Adoption again, from what Git held at the commit that they start from, the live object, and the
// paths of the fields as the Edits have them, in their order; and the drifts that it adopts. The same files and the same live values
// make the same Adoption; where either has moved, its PlanDigest is another, or it is an error. What may not be adopted is refused
// again: what is masked, what keeps the workload apart from others, what Git says is to be left alone, and what is not proven by
// rendering all that reads the changed files.
//
// It asks nobody, so it leaves out what takes an API server or a memory: the dry run of what the edits make, and whether Git
// is ahead of what was delivered. Both were asked before the plan was judged.
func rebuild(t tree, subject gate.Ref, live *unstructured.Unstructured, paths []string) (Adoption, []Drift, error) {
	if string(live.GetUID()) != subject.UID || live.GetName() != subject.Name || live.GetNamespace() != subject.Namespace {
		return Adoption{}, nil, errors.New("the live object is another one than the plan is about")
	}
	k, found := t.find(source.Name{Group: subject.Group, Kind: subject.Kind, Namespace: subject.Namespace, Name: subject.Name})
	if !found {
		return Adoption{}, nil, fmt.Errorf("commit %.12s does not declare it", t.Commit)
	}
	o := k.unfold()
	if o.Desired == nil {
		return Adoption{}, nil, fmt.Errorf("what Git says of it is not known: %s", line(o.Unknown))
	}
	if k.left != "" {
		return Adoption{}, nil, fmt.Errorf("it is left as it is, because Git says so: %s", line(k.left))
	}
	if len(paths) == 0 {
		return Adoption{}, nil, errors.New("the plan names no field")
	}
	drifts := make([]Drift, len(paths))
	for i, text := range paths {
		var err error
		if drifts[i], err = again(o, live, text); err != nil {
			return Adoption{}, nil, fmt.Errorf("%s: %w", line(text), err)
		}
	}
	proposals, changed := propose(t.ground, o, drifts, nil)
	a := Adoption{Files: changed, proposals: proposals}
	for i, p := range proposals {
		if p.why != "" {
			return Adoption{}, nil, fmt.Errorf("%s: no edit, because %s", line(paths[i]), p.why)
		}
		a.Places = append(a.Places, p.where)
	}
	a.Action = adopting(subject, t.ground.commit, proposals)
	return a, drifts, nil
}

// again is the drift of a field, by its path as people write it.
func again(o source.Object, live *unstructured.Unstructured, text string) (Drift, error) {
	path, err := source.Resolve(text, live.Object, o.Desired.Object)
	if err != nil {
		return Drift{}, err
	}
	git, declared := source.At(o.Desired.Object, path)
	has, there := source.At(live.Object, path)
	d := Drift{Path: path, Git: git, Live: has, Missing: !there, Added: !declared}
	theirs, err := peoples(live)
	if err != nil {
		return Drift{}, err
	}
	switch {
	case !there && !declared:
		return Drift{}, errors.New("neither Git nor the cluster has it")
	case there && declared && equality.Semantic.DeepEqual(git, has):
		return Drift{}, errors.New("the cluster says what Git says")
	case declared && (empty(git) || there && zero(git)):
		d.Unset = true
	case d.Added:
		d.Live = kept(has, below(theirs, unwritten(path)))
	}
	if placeholder(git) {
		return Drift{}, errors.New("there is a placeholder in Git, and only what fills it in knows the value")
	}
	field := unwritten(path)
	if d.Added {
		field = firstLeaf(field, below(theirs, field))
	}
	if d.Owner, err = attribute(live.GetManagedFields(), field); err == nil && !d.Missing {
		err = delivery(live, unwritten(path), &d)
	}
	return d, err
}

// firstLeaf is the path of one field that a set has below a path, or the path itself.
func firstLeaf(at fieldpath.Path, below *fieldpath.Set) fieldpath.Path {
	for leaf := range below.Leaves().All() {
		return append(at.Copy(), leaf...)
	}
	return at
}

// unwritten is a path in the words that managedFields have for it.
func unwritten(p source.Path) fieldpath.Path {
	out := make(fieldpath.Path, len(p))
	for i, step := range p {
		switch {
		case step.Field != "":
			out[i].FieldName = &step.Field
		case len(step.Keys) > 0:
			keys := make(value.FieldList, len(step.Keys))
			for n, k := range step.Keys {
				keys[n] = value.Field{Name: k.Name, Value: value.NewValueInterface(k.Value)}
			}
			keys.Sort()
			out[i].Key = &keys
		case step.Value != nil:
			v := value.NewValueInterface(step.Value)
			out[i].Value = &v
		case step.Index != nil:
			out[i].Index = step.Index
		}
	}
	return out
}
