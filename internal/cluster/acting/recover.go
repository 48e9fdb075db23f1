package acting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// findFor is how long it is tried to find out what became of an intent before it is handed to a human: so many times Grace.
const findFor = 10

// recover finds out what became of an intent of which nobody knows: whoever made it died, could not write down the outcome, or
// got no answer. It is never carried out, neither again nor for the first time.
func (a *Acts) recover(ctx context.Context, c *v1alpha1.Case) (time.Duration, error) {
	i := c.Status.Acting.Intent
	if i == nil {
		return 0, nil // nobody claimed it: Claim writes both at once
	}
	now := a.Now()
	saw := a.seen.since(i.Reservation, now)
	if left := a.Grace - now.Sub(saw); left > 0 {
		return left, nil
	}
	target := gate.Ref{Group: i.Target.Group, Version: i.Target.Version, Kind: i.Target.Kind, Namespace: c.Namespace, Name: i.Target.Name, UID: i.Target.UID}
	outcome, text, err := a.Face.Fate(ctx, c, target)
	if err != nil && now.Sub(saw) < (1+findFor)*a.Grace {
		return 0, fmt.Errorf("find out what became of the intent in record %d of log %s: %w", i.Audit.Sequence, i.Audit.Log, err)
	}
	if err != nil {
		text = fmt.Sprintf("what became of it cannot be found out, so it needs a human: %s of %s. %v", gate.OneLine(c.Status.Acting.Verb, 64), target.Name, err)
	}
	if err := a.record(ctx, c, i, target, outcome, text); err != nil {
		return 0, err
	}
	if err := a.conclude(ctx, client.ObjectKeyFromObject(c), i.Reservation, outcome, text); err != nil {
		return 0, err
	}
	a.seen.forget(i.Reservation)
	a.Logger.Warn("found out what became of an intent without an outcome", "case", c.Namespace+"/"+c.Name, "outcome", outcome.String(), "text", text)
	return a.Every, nil
}

// record writes down an outcome that was found out. In a log an outcome closes an intent, of that log or of another that it
// names. Where this log's is closed already it is a note.
func (a *Acts) record(ctx context.Context, c *v1alpha1.Case, i *v1alpha1.Intent, target gate.Ref, o gate.Outcome, text string) error {
	kind, intent := gate.RecordOutcome, &gate.Position{Log: i.Audit.Log, Sequence: uint64(max(i.Audit.Sequence, 0))}
	if i.Audit.Log == a.self {
		intent = nil
		if !slices.ContainsFunc(a.unresolved(), func(r gate.Record) bool { return r.Reservation == i.Reservation }) {
			kind = gate.RecordNote
		}
	}
	action := gate.Action{Verb: c.Status.Acting.Verb, Reach: a.Face.Reach(), Target: target}
	_, err := a.Log.Append(ctx, gate.Record{Kind: kind, Correlation: c.Namespace + "/" + c.Name, Action: &action, Digest: i.Plan, ActionDigest: i.Action,
		Reservation: i.Reservation, Attempt: int(i.Attempt), Outcome: &o, Intent: intent, Text: fmt.Sprintf("%s (the intent is record %d of log %s)", text, i.Audit.Sequence, i.Audit.Log)})
	if err != nil {
		return fmt.Errorf("write down what became of an intent: %w", err)
	}
	return nil
}
