package acting

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// verify looks whether an action helped, and says so in the log, the ledger and on the Case. What did not help is left to a
// human.
func (a *Acts) verify(ctx context.Context, c *v1alpha1.Case) (time.Duration, error) {
	i := c.Status.Acting.Intent
	if i == nil {
		return 0, nil
	}
	e, err := a.Face.Verify(ctx, c, a.Now().Sub(c.Status.Acting.At.Time))
	if err != nil {
		return 0, fmt.Errorf("look whether it helped: %w", err)
	}
	if e.Wait > 0 {
		return e.Wait, nil
	}
	return a.Every, a.verified(ctx, c, i, e)
}

// verified writes down whether it helped: first in the log, so that nothing is said elsewhere that is not there. A ledger that
// does not take it is tried again, but not for ever: it may have dropped the entry.
func (a *Acts) verified(ctx context.Context, c *v1alpha1.Case, i *v1alpha1.Intent, e Effect) error {
	key := client.ObjectKeyFromObject(c)
	_, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordVerification, Correlation: key.String(), Digest: i.Plan, ActionDigest: i.Action,
		Reservation: i.Reservation, Attempt: int(i.Attempt), Result: e.Result, Text: e.Text})
	if err != nil {
		return fmt.Errorf("write down whether it helped: %w", err)
	}
	if e.Result != gate.ResultPending {
		if err := a.Settle(ctx, i.Reservation, e.Result); err != nil && !e.Last {
			return err
		} else if err != nil {
			a.Logger.Error("the ledger does not know whether it helped", "case", key.String(), "error", gate.OneLine(err.Error(), 1024))
		}
	}
	return a.Cases.Settled(ctx, key, i.Reservation, e.Phase, e.Text)
}
