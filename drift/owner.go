package drift

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Owner is the field manager that owns a field, by its own word: evidence, not proof. The zero Owner is not known.
type Owner struct {
	Manager     string
	Operation   string // Update or Apply
	Subresource string
	Time        time.Time // of the manager's last change to any field; zero where the API server kept none
	Party       Party
}

// String says who, how and when: "kubectl-set (Update) at 2026-11-23T15:04:05Z".
func (o Owner) String() string {
	if o.Manager == "" {
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
