package flow

import (
	"context"
	"fmt"

	"moorgate.dev/internal/gate"
)

// Attempt is one try at one action.
type Attempt struct {
	Log Log
	// Look looks at the world again, just before acting: the question and the policy as they are now.
	Look func(ctx context.Context) (Question, gate.Policy, error)
	// Advisor is asked again about what Look found.
	Advisor Advisor
	Actor   Actor
	// Plan is the plan digest that was decided on. If the chosen action no longer has it, the world has moved.
	Plan string
}

// Act looks at the world again, decides again, durably logs the intent, acts under the Permit, and logs the outcome.
//
// A verdict that is no longer Allow, a plan that has changed, and an intent that could not be written all mean that
// nothing is done: the first two are results (OutcomeRefused, with the reason in the verdict), the last is an error. An
// outcome that could not be written is an error with the outcome beside it, and nothing is tried again.
func Act(ctx context.Context, a Attempt) (gate.Outcome, gate.Verdict, error) {
	q, p, err := a.Look(ctx)
	if err != nil {
		return gate.OutcomeRefused, gate.Verdict{}, fmt.Errorf("look again before acting: %w", err)
	}
	opinion := a.Advisor.Advise(ctx, q)
	j := Judgement{Question: q, Policy: p, Assessment: opinion, Verdict: gate.Decide(p, opinion, q.Facts)}
	plan, _ := j.Chosen()
	permit, permitted := j.Verdict.Permit()
	if !permitted || plan.PlanDigest() != a.Plan {
		return gate.OutcomeRefused, j.Verdict, nil
	}
	intent := j.record()
	intent.Kind, intent.Action, intent.Digest = gate.RecordIntent, &plan, a.Plan
	if _, err := a.Log.Append(ctx, intent); err != nil {
		return gate.OutcomeRefused, j.Verdict, fmt.Errorf("write down the intent to %s %s, so nothing was done: %w", plan.Verb, plan.Target, err)
	}
	outcome, actErr := a.Actor.Act(ctx, permit, plan)
	done := gate.Record{Kind: gate.RecordOutcome, Correlation: q.Case, Signal: &q.Signal, Action: &plan, Digest: a.Plan, Outcome: &outcome}
	if actErr != nil {
		done.Text = actErr.Error()
	}
	// The outcome is written even when the caller has gone: an intent without one must be looked into by somebody.
	if _, err := a.Log.Append(context.WithoutCancel(ctx), done); err != nil {
		return outcome, j.Verdict, fmt.Errorf("write down that %s %s came out as %s: %w", plan.Verb, plan.Target, outcome, err)
	}
	return outcome, j.Verdict, actErr
}
