package remediate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// verifyFor is how much longer than HealthyDelay it is waited until pods that neither fail nor are well make up their mind, or
// until they can be read: so many times HealthyDelay.
const verifyFor = 5

// verify looks whether an action helped, and says so in the log, the ledger and on the Case. What did not help is left to a
// human.
func (a *Acts) verify(ctx context.Context, c *v1alpha1.Case, k Key) (time.Duration, error) {
	i := c.Status.Acting.Intent
	if i == nil {
		return 0, nil
	}
	now := a.Now()
	age := now.Sub(c.Status.Acting.At.Time)
	if age < a.HealthyDelay {
		return max(time.Second, a.HealthyDelay-age), nil
	}
	live := eye{reader: a.Client, owners: a.Owners, settle: a.Steady, roots: newRoots(maxRoots, maxRoots, rootsFor)}
	w, err := live.observe(ctx, k, now)
	last := age >= (1+verifyFor)*a.HealthyDelay
	if err != nil && !errors.Is(err, errGone) && !last {
		return 0, fmt.Errorf("look whether it helped: %w", err)
	}
	e := effect(w, err, int(i.Well))
	if e.pending && !last {
		return min(a.Every, a.HealthyDelay), nil
	}
	return a.Every, a.verified(ctx, c, i, e, last)
}

// helped is what an action did to a workload.
type helped struct {
	phase   string
	result  gate.Result // empty: the ledger is left as it is
	pending bool        // it may still become better
	text    string
}

// effect weighs a workload after an action against how many of its pods were well before.
func effect(w causes.World, err error, before int) helped {
	well, failing, all := wellIn(w), failingIn(w), len(w.Pods)+len(w.Others)
	numbers := fmt.Sprintf("%d of %d pods of %s/%s are well and %d crash-loop; %d were well before", well, all, w.Root.Kind, w.Root.Name, failing, before)
	complete, _ := w.Complete.Get()
	switch {
	case errors.Is(err, errGone):
		return helped{phase: v1alpha1.PhaseUnclear, text: "the workload is gone, so nobody can say whether it helped"}
	case err != nil:
		return helped{phase: v1alpha1.PhaseUnclear, text: "whether it helped cannot be read: it needs a human"}
	case !complete:
		return helped{phase: v1alpha1.PhaseUnclear, pending: true, text: "not every pod can be read, so nobody can say whether it helped: it needs a human"}
	case all == 0 || len(w.Pods) == 0:
		return helped{phase: v1alpha1.PhaseUnclear, text: "no pod of that revision is left, so nobody can say whether it helped; " + numbers}
	case healthy(w.Pods) && healthy(w.Others):
		return helped{phase: v1alpha1.PhaseHealed, result: gate.ResultHealed, text: "it helped: " + numbers}
	case well < before:
		return helped{phase: v1alpha1.PhaseWorsened, result: gate.ResultWorsened, pending: failing == 0, text: "it got worse, and needs a human: " + numbers}
	}
	return helped{phase: v1alpha1.PhaseIneffective, result: gate.ResultIneffective, pending: failing == 0, text: "it did not help, and needs a human: " + numbers}
}

// verified writes down whether it helped: first in the log, so that nothing is said elsewhere that is not there. A ledger that
// does not take it is tried again, but not for ever: it may have dropped the entry.
func (a *Acts) verified(ctx context.Context, c *v1alpha1.Case, i *v1alpha1.Intent, e helped, last bool) error {
	key := client.ObjectKeyFromObject(c)
	_, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordVerification, Correlation: key.String(), Digest: i.Plan, ActionDigest: i.Action,
		Reservation: i.Reservation, Attempt: int(i.Attempt), Result: e.result, Text: e.text})
	if err != nil {
		return fmt.Errorf("write down whether it helped: %w", err)
	}
	if e.result != gate.ResultPending {
		if err := a.Settle(ctx, i.Reservation, e.result); err != nil && !last {
			return err
		} else if err != nil {
			a.Logger.Error("the ledger does not know whether it helped", "case", key.String(), "error", gate.OneLine(err.Error(), 1024))
		}
	}
	return a.Cases.Settled(ctx, key, i.Reservation, e.phase, e.text)
}

func failingIn(w causes.World) int {
	n := 0
	for _, pods := range [][]causes.Pod{w.Pods, w.Others} {
		for _, p := range pods {
			if p.State == causes.Looping {
				n++
			}
		}
	}
	return n
}
