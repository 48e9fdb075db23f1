package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// verifyFor is how much longer than HealthyDelay it is waited until pods that neither fail nor are well make up their mind, or
// until they can be read: so many times HealthyDelay.
const verifyFor = 5

// Verify looks whether an action helped. What did not is left to a human.
func (a *Hands) Verify(ctx context.Context, c *v1alpha1.Case, age time.Duration) (acting.Effect, error) {
	k, ok := keyOf(c)
	if !ok || c.Status.Acting.Intent == nil {
		return acting.Effect{}, fmt.Errorf("case %s/%s does not say what was done", c.Namespace, c.Name)
	}
	if age < a.HealthyDelay {
		return acting.Effect{Wait: max(time.Second, a.HealthyDelay-age)}, nil
	}
	w, err := a.live().observe(ctx, k, a.Now())
	last := age >= (1+verifyFor)*a.HealthyDelay
	if err != nil && !errors.Is(err, errGone) && !last {
		return acting.Effect{}, err
	}
	e, pending := effect(w, err, int(c.Status.Acting.Intent.Well), cluster.Amends(c.Status.Acting.Verb))
	if e.Last = last; pending && !last {
		e.Wait = max(time.Second, a.HealthyDelay/4)
	}
	return e, nil
}

// effect weighs a workload after an action against how many of its pods were well before. pending: it may still become better.
// replaces is whether the action was to replace the failing revision: until none of it is left, it may.
func effect(w causes.World, err error, before int, replaces bool) (e acting.Effect, pending bool) {
	well, failing, all := wellIn(w), failingIn(w), len(w.Pods)+len(w.Others)
	numbers := fmt.Sprintf("%d of %d pods of %s/%s are well and %d fail; %d were well before", well, all, w.Root.Kind, w.Root.Name, failing, before)
	complete, _ := w.Complete.Get()
	switch {
	case errors.Is(err, errGone):
		return acting.Effect{Phase: v1alpha1.PhaseUnclear, Text: "the workload is gone, so nobody can say whether it helped"}, false
	case err != nil:
		return acting.Effect{Phase: v1alpha1.PhaseUnclear, Text: "whether it helped cannot be read: it needs a human"}, false
	case !complete:
		return acting.Effect{Phase: v1alpha1.PhaseUnclear, Text: "not every pod can be read, so nobody can say whether it helped: it needs a human"}, true
	case all == 0 || len(w.Pods) == 0 && !replaces:
		return acting.Effect{Phase: v1alpha1.PhaseUnclear, Text: "no pod of that revision is left, so nobody can say whether it helped; " + numbers}, false
	case healthy(w.Pods) && healthy(w.Others) && (len(w.Pods) == 0 || !replaces):
		return acting.Effect{Phase: v1alpha1.PhaseHealed, Result: gate.ResultHealed, Text: "it helped: " + numbers}, false
	case well < before:
		return acting.Effect{Phase: v1alpha1.PhaseWorsened, Result: gate.ResultWorsened, Text: "it got worse, and needs a human: " + numbers}, failing == 0 || replaces && len(w.Pods) > 0
	}
	return acting.Effect{Phase: v1alpha1.PhaseIneffective, Result: gate.ResultIneffective, Text: "it did not help, and needs a human: " + numbers}, failing == 0 || replaces && len(w.Pods) > 0
}

func failingIn(w causes.World) int {
	all := w
	all.Pods = slices.Concat(w.Pods, w.Others)
	return len(all.Failing())
}
