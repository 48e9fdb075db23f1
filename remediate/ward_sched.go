package remediate

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// schedWards are the kinds that say whether and where pods come to run, and who is sent to them.
var schedWards = slices.Concat(rolloutWards, []ward{jobWard, claimWard, sliceWard, budgetWard})

// slowly is how many times longer than a pod a rollout may stand still that has no deadline of its own.
const slowly = 5

// written is when an object was written last, as far as who wrote it says: its status alone, or anything of it. Where nobody says, it
// is since the object is.
func written(o metav1.Object, part string) time.Time {
	at := o.GetCreationTimestamp().Time
	for _, m := range o.GetManagedFields() {
		if (part == "" || m.Subresource == part) && m.Time != nil && m.Time.After(at) {
			at = m.Time.Time
		}
	}
	return at
}

// condition makes one that is told, of what some controller wrote.
func condition(kind, status, reason string, since metav1.Time) causes.Condition {
	return causes.Condition{Type: gate.OneLine(kind, maxField), Status: gate.OneLine(status, maxField), Reason: gate.OneLine(reason, maxField), Since: since.Time}
}
