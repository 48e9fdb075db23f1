package drift

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// What a field manager says of itself is its own word, and a deletion leaves no word at all. Where the API server told what people
// did while they did it, there is a Case of it with the name of a user whom the API server vouches for. That name is given to the drift
// that the change made, and only where nothing speaks against it: the field is still owned as it was then, and no write came after it that
// nobody was seen to make.

const (
	// witnessedMost is how many witnessed Cases of one workload are read. Where there are more, those that were read may not be
	// the newest, and nobody is named.
	witnessedMost = 64
	// skew is how far the time of a write may lie from when the API server told of it: times end at the second, a request takes
	// a while, and the two were read from different clocks.
	skew = 5 * time.Second
)

// evidenceWitness is what people were seen to do.
const evidenceWitness = "witness"

// attest gives the drifts of an object, in place, the people who were seen to make them.
func (d *Detector) attest(ctx context.Context, l *look, live *unstructured.Unstructured, drifts []Drift) {
	if len(drifts) == 0 {
		return
	}
	e := gate.Evidence{ID: evidenceWitness, Source: "what people were seen to do to " + l.subject.Kind + "/" + l.subject.Name, At: d.Now(), Trust: gate.FromAPI}
	cases, err := witnessedCases(ctx, d.Client, l.subject)
	switch {
	case meta.IsNoMatchError(err), err == nil && len(cases) == 0:
		return // nobody watches
	case err != nil:
		e.Unread = "the Cases about that cannot be read"
	default:
		e.Text = fmt.Sprintf("changes seen: %d", len(cases)) // a name here would reach a model
		t := testimony{cases: cases, managers: live.GetManagedFields()}
		for i := range drifts {
			drifts[i].Owner = t.owner(drifts[i], aliases(live.Object, drifts[i]))
		}
	}
	l.evidence = append(l.evidence, e)
}

// witnessedCases are the Cases of what people were seen to do to an object, newest first.
func witnessedCases(ctx context.Context, r client.Reader, subject gate.Ref) ([]v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := r.List(ctx, &list, client.InNamespace(subject.Namespace), client.Limit(witnessedMost), client.MatchingLabels{
		v1alpha1.LabelFace: string(gate.FaceDrift), v1alpha1.LabelWitnessed: "true", v1alpha1.LabelWorkload: cluster.WorkloadLabel(subject)})
	if err != nil {
		return nil, fmt.Errorf("list the Cases of what people were seen to do to %s: %w", subject, err)
	}
	if list.Continue != "" {
		return nil, fmt.Errorf("there are more than %d Cases of what people were seen to do to %s", witnessedMost, subject)
	}
	cases := slices.DeleteFunc(list.Items, func(k v1alpha1.Case) bool {
		return k.Spec.Witness == nil || k.Spec.Subject.UID != subject.UID || k.Spec.Signal.Face != string(gate.FaceDrift)
	})
	slices.SortStableFunc(cases, func(a, b v1alpha1.Case) int {
		return cmp.Or(b.Spec.Witness.At.Compare(a.Spec.Witness.At.Time), cmp.Compare(a.Name, b.Name))
	})
	return cases, nil
}

// testimony is what people were seen to do to one object, newest first, and who owns its fields now.
type testimony struct {
	cases    []v1alpha1.Case
	managers []metav1.ManagedFieldsEntry
}

// owner is who owns a field that differs, with the person who was seen to change it last where that is known.
func (t testimony) owner(d Drift, paths []string) Owner {
	w := t.last(paths)
	if w == nil {
		return d.Owner
	}
	o := d.Owner
	o.User, o.SeenAs, o.SeenAt = w.User, w.Manager, w.At.Time
	switch {
	case !t.accounted(o, w):
		return d.Owner // somebody wrote later, and it may have been this field
	case o.Manager != "" && !sameWrite(o, w):
		o.Apart = true
		return o
	}
	if o.Time = w.At.Time; !applied(o) { // who applies a file delivers it, person or not: it may be what Git said before
		o.Party = Person
	}
	return o
}

// sameWrite reports whether what the owner of a field says of itself can be the write that was seen. An owner whose last write was
// before it made another one.
func sameWrite(o Owner, w *v1alpha1.Witness) bool {
	earlier := !o.Time.IsZero() && o.Time.Before(w.At.Add(-skew))
	return (w.Manager == "" || w.Manager == o.Manager) && w.Subresource == o.Subresource && !earlier
}

// last is the last change seen of one of the paths that nobody put back. Of two people in one second it is not known who was last.
func (t testimony) last(paths []string) *v1alpha1.Witness {
	var found *v1alpha1.Witness
	for i := range t.cases {
		w := t.cases[i].Spec.Witness
		if w.Operation != "UPDATE" || t.cases[i].Spec.Signal.Reason != v1alpha1.ReasonWitnessed || !slices.ContainsFunc(w.Paths, func(p string) bool { return covers(p, paths) }) {
			continue
		}
		if found == nil {
			found = w
		} else if found.At.Equal(&w.At) && found.User != w.User {
			return nil
		}
	}
	return found
}

// accounted reports whether all that was written to a field since a person was seen to change it was seen too, as far as managedFields
// tell. The time of an entry is that of its manager's last write to any field: one that a person was seen to make counts for no other.
// What is gone has no owner; there it is whoever delivers that would have put it back.
func (t testimony) accounted(o Owner, w *v1alpha1.Witness) bool {
	if o.Manager != "" {
		return !o.Time.After(w.At.Add(skew)) || t.saw(o.Manager, o.Time)
	}
	return !slices.ContainsFunc(t.managers, func(e metav1.ManagedFieldsEntry) bool {
		return e.Time != nil && partyOf(e) == Delivery && e.Time.After(w.At.Add(skew)) && !t.saw(e.Manager, e.Time.Time)
	})
}

// saw reports whether a person was seen to write under the name of a manager at that time.
func (t testimony) saw(manager string, at time.Time) bool {
	return slices.ContainsFunc(t.cases, func(k v1alpha1.Case) bool {
		w := k.Spec.Witness
		return w.Manager == manager && at.Sub(w.At.Time).Abs() <= skew
	})
}

// covers reports whether the path of a change that was seen is one of the paths of a field, or lies above or below it: what came or
// went with all that is below it is one change.
func covers(seen string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return seen == p || beneath(seen, p) || beneath(p, seen) })
}

func beneath(inner, outer string) bool {
	rest, ok := strings.CutPrefix(inner, outer)
	return ok && rest != "" && outer != "" && (rest[0] == '.' || rest[0] == '[')
}

// aliases are the ways to write the path of a drift. What people change is told by the names of the items of lists, where all have one;
// the API server tells some of them apart by other keys, as ports by their number.
func aliases(live any, d Drift) []string {
	paths := []string{d.Path.String()}
	named, other := slices.Clone(d.Path), false
	for i, at := 0, live; i < len(named); i++ {
		if s := named[i]; len(s.Keys) == 0 {
			m, _ := at.(map[string]any)
			at = m[s.Field]
			continue
		}
		list, _ := at.([]any)
		n := slices.IndexFunc(list, func(item any) bool { return fits(item, named[i].Keys) })
		if at = nil; n >= 0 {
			at = list[n]
		} else if i == len(named)-1 {
			at = d.Git // all of the item is gone
		}
		m, _ := at.(map[string]any)
		if name, _ := m["name"].(string); name != "" {
			named[i] = source.Step{Keys: []source.Key{{Name: "name", Value: name}}}
			other = true
		}
	}
	if text := named.String(); other && text != paths[0] {
		paths = append(paths, text)
	}
	return paths
}

func fits(item any, keys []source.Key) bool {
	m, ok := item.(map[string]any)
	return ok && !slices.ContainsFunc(keys, func(k source.Key) bool { return m[k.Name] != k.Value })
}
