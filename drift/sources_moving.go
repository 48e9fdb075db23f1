package drift

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
)

// While something is being delivered, objects are what the next commit says, and the last one is still said to be the one that was
// applied. So before a difference counts, who delivers is read once more: where it has gone on, or is about to, nothing is said of the
// object until it has come to rest. A delivery that failed is at rest.

// moving reports whether what was compared is no more what was applied last, or is about to be.
func (d *Detector) moving(ctx context.Context, y *Delivered) (bool, error) {
	if y == nil {
		return false, nil
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: y.owner.Group, Version: y.owner.Version, Kind: y.owner.Kind})
	if err := d.Client.Get(ctx, client.ObjectKey{Namespace: y.owner.Namespace, Name: y.owner.Name}, u); client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("read again what delivers it: %w", err)
	}
	if u.GetDeletionTimestamp() != nil {
		return true, nil // and what it delivered may go with it
	}
	switch y.owner.Kind {
	case applicationKind.Kind:
		return movingApplication(u, y), nil
	case helmReleaseKind.Kind:
		return movingRelease(u, y), nil
	}
	return movingKustomization(u, y), nil
}

// postponed reports whether it is too early to say what differs, and notes that on the look.
func (d *Detector) postponed(ctx context.Context, l *look, drifts []Drift, t tree) bool {
	return len(drifts) > 0 && d.unsettled(ctx, l, t)
}

// unsettled reports whether a delivery is on its way, or may be, and notes that on the look.
func (d *Detector) unsettled(ctx context.Context, l *look, t tree) bool {
	moving, err := d.moving(ctx, t.delivery)
	if err != nil {
		l.missed(evidenceGit, Title(t.delivery.Key()), d.Now(), unanswered(err))
	}
	l.moving = moving
	return moving || err != nil
}

func movingKustomization(u *unstructured.Unstructured, y *Delivered) bool {
	applied, _, _ := unstructured.NestedString(u.Object, "status", "lastAppliedRevision")
	attempted, _, _ := unstructured.NestedString(u.Object, "status", "lastAttemptedRevision")
	suspended, trouble := cluster.Reconciled(u)
	commit, err := commitOf(applied)
	observed, known, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	now := inventory(u)
	for n := range y.applied {
		if !now[n] {
			return true
		}
	}
	return err != nil || (known && observed < u.GetGeneration() && !suspended) || commit != y.From.Commit || (attempted != "" && attempted != applied && !suspended && trouble == "")
}

func movingApplication(u *unstructured.Unstructured, y *Delivered) bool {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "operationState", "phase")
	_, asked, _ := unstructured.NestedFieldNoCopy(u.Object, "operation")
	return asked || phase == "Running" || !slices.ContainsFunc(application(u), func(now Delivered) bool { return now.Key() == y.Key() && now.From == y.From })
}
