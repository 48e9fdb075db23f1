package drift

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Owner is the field manager that owns a field, by its own word: evidence, not proof. Where a person was seen to change the field, User
// is their name, for which the API server vouches. The zero Owner is not known.
type Owner struct {
	Manager     string // empty where managedFields name nobody, as of a field that is gone
	Operation   string // Update or Apply
	Subresource string
	// Time is that of the manager's last change to any field, zero where the API server kept none; where a User stands behind the
	// change, it is when they were seen to make it.
	Time  time.Time
	Party Party

	User   string    // a person, for people to read and for no model; empty: nobody was seen
	SeenAs string    // the field manager that they named then
	SeenAt time.Time // when
	// Apart: they were seen under another field manager than the one that owns the field. Neither word counts for the other, and
	// Party and Time are the manager's.
	Apart bool
}

// vouched reports whether the API server vouches for who changed the field.
func (o Owner) vouched() bool { return o.User != "" && !o.Apart }

// String says who, how and when, without the name of any user: "kubectl-set (Update) at 2026-11-23T15:04:05Z".
func (o Owner) String() string {
	switch {
	case o.Manager == "" && o.vouched():
		return "a person who was seen, at " + o.SeenAt.UTC().Format(time.RFC3339)
	case o.Manager == "":
		return "unknown (deletions leave no trace)"
	}
	how := o.Operation
	if o.Subresource != "" {
		how += " of " + o.Subresource
	}
	if o.Time.IsZero() {
		return fmt.Sprintf("%s (%s), time not recorded", o.Manager, how)
	}
	return fmt.Sprintf("%s (%s) at %s", o.Manager, how, o.Time.UTC().Format(time.RFC3339))
}

// Named says it with the name of whom the API server saw: "alice, seen by the API server, as kubectl-set (Update) at
// 2026-11-23T15:04:05Z". It is for people, and never for a model.
func (o Owner) Named() string {
	seen := " at " + o.SeenAt.UTC().Format(time.RFC3339)
	if o.SeenAs != "" {
		seen = " as " + o.SeenAs + seen
	}
	switch {
	case o.User == "":
		return o.String()
	case o.Apart:
		return o.String() + ", but the API server saw " + o.User + " change it" + seen
	case o.Manager == "":
		return o.User + ", seen by the API server," + seen
	}
	return o.User + ", seen by the API server, as " + o.String()
}

// attribute finds who owns a field. Of several owners it is the one that wrote last. Nobody owns what is gone.
func attribute(entries []metav1.ManagedFieldsEntry, field fieldpath.Path) (Owner, error) {
	var owners []Owner
	for _, e := range entries {
		set, err := fields(e)
		if err != nil {
			return Owner{}, err
		}
		if !set.Has(field) {
			continue
		}
		o := Owner{Manager: e.Manager, Operation: string(e.Operation), Subresource: e.Subresource, Party: partyOf(e)}
		if e.Time != nil {
			o.Time = e.Time.Time
		}
		owners = append(owners, o)
	}
	if len(owners) == 0 {
		return Owner{}, nil
	}
	return slices.MaxFunc(owners, func(a, b Owner) int { return a.Time.Compare(b.Time) }), nil
}

// fields reads the set of fields of one entry.
func fields(e metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if e.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
		return nil, fmt.Errorf("read which fields %s owns: %w", e.Manager, err)
	}
	return set, nil
}
