package acting

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Start closes what an earlier run left open in the log, now and then until ctx ends.
func (a *Acts) Start(ctx context.Context) error {
	ticker := time.NewTicker(a.Every)
	defer ticker.Stop()
	for {
		err := flow.Shielded(a.Logger, "close old intents", func() error { return a.Resolve(ctx) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, flow.ErrPanicked) {
			a.Logger.Warn("close old intents", "error", gate.OneLine(err.Error(), 1024))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Resolve writes down what became of the intents that the log leaves open and that are not open on their Cases: those that
// never got there, and those of which another process found out. Those that are open on their Cases Reconcile looks after.
func (a *Acts) Resolve(ctx context.Context) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	var errs []error
	for _, r := range a.unresolved() {
		now := a.Now()
		if r.Reservation == "" || r.Signal == nil || r.Signal.Face != a.Face.Name() || r.Action == nil || r.Action.Reach != a.Face.Reach() || now.Sub(a.seen.since("log/"+r.Reservation, now)) < a.Grace {
			continue
		}
		if err := a.resolve(ctx, r); err != nil {
			errs = append(errs, fmt.Errorf("find out what became of an intent on case %s: %w", r.Correlation, err))
		}
	}
	return errors.Join(errs...)
}

func (a *Acts) resolve(ctx context.Context, r gate.Record) error {
	outcome, text, err := a.ending(ctx, r)
	if err != nil || text == "" {
		return err
	}
	_, err = a.Log.Append(ctx, gate.Record{Kind: gate.RecordOutcome, Correlation: r.Correlation, Signal: r.Signal, Action: r.Action, Digest: r.Digest,
		ActionDigest: r.ActionDigest, Reservation: r.Reservation, Attempt: r.Attempt, Outcome: &outcome, Text: text})
	if err != nil {
		return fmt.Errorf("write down what became of it: %w", err)
	}
	a.seen.forget("log/" + r.Reservation)
	if outcome != gate.OutcomeRefused {
		return nil // the ledger says so, or leaves it open
	}
	return a.Settle(ctx, r.Reservation, gate.ResultRefused)
}

// ending is what became of an intent that the log leaves open; an empty text means that its Case leaves it open too. An intent
// that is not on its Case was never claimed, so nothing was sent, or was followed by another: then whoever found out what
// became of it has settled it in the ledger.
func (a *Acts) ending(ctx context.Context, r gate.Record) (gate.Outcome, string, error) {
	key, err := cluster.CaseKey(r.Correlation)
	if err != nil {
		return gate.OutcomeUnknown, "nobody knows what became of it: " + err.Error(), nil
	}
	var c v1alpha1.Case
	err = a.Cases.Client.Get(ctx, key, &c)
	if apierrors.IsNotFound(err) {
		return gate.OutcomeUnknown, "its Case is gone, and with it what became of it", nil
	}
	if err != nil {
		return gate.OutcomeUnknown, "", fmt.Errorf("read case %s: %w", key, err)
	}
	if acting := c.Status.Acting; acting != nil && acting.Intent != nil && acting.Intent.Reservation == r.Reservation {
		if acting.Phase == v1alpha1.PhaseActing {
			return gate.OutcomeUnknown, "", nil
		}
		return a.byLedger(ctx, r.Reservation, true)
	}
	if c.CreationTimestamp.After(r.At.Add(-gate.WaitLeast / 2)) {
		return gate.OutcomeUnknown, "its Case was made anew since, and what the old one said is lost", nil
	}
	return a.byLedger(ctx, r.Reservation, false)
}

// byLedger is what the ledger says of an intent. Whoever claims one settles it, or leaves it open on its Case for others to
// settle; so one that is not settled and was not claimed was never sent.
func (a *Acts) byLedger(ctx context.Context, reservation string, wasClaimed bool) (gate.Outcome, string, error) {
	if a.Ledger == nil {
		return gate.OutcomeUnknown, "it is not open on its Case, and there is no ledger to ask", nil
	}
	ledger, _, err := a.Ledger(ctx)
	if err != nil {
		return gate.OutcomeUnknown, "", fmt.Errorf("read the ledger: %w", err)
	}
	for _, s := range ledger.Entries {
		if s.ID != reservation {
			continue
		}
		switch {
		case s.Result == gate.ResultPending && !wasClaimed:
			return gate.OutcomeRefused, "it was never claimed on its Case, so nothing was sent", nil
		case s.Result == gate.ResultPending || s.Result == gate.ResultUnknown:
			return gate.OutcomeUnknown, "the ledger says that nobody knows", nil
		case s.Result == gate.ResultRefused:
			return gate.OutcomeRefused, "the ledger says that nothing was done", nil
		}
		return gate.OutcomeDone, "the ledger says that it was done: " + string(s.Result), nil
	}
	return gate.OutcomeUnknown, "it is neither on its Case nor in the ledger any more", nil
}

func (a *Acts) unresolved() []gate.Record {
	if a.Unresolved == nil {
		return nil
	}
	return a.Unresolved()
}
