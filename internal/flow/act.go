package flow

import (
	"context"
	"errors"
	"fmt"

	"moorgate.dev/internal/gate"
)

// Attempt is one try at one action.
type Attempt struct {
	Log Log
	// Look looks at the world again, just before acting: the question and the policy as they are now. The action on its menu
	// carries the exact Request that would be sent; without one there is no Permit.
	Look func(ctx context.Context) (Question, gate.Policy, error)
	// Advisor is asked again about what Look found.
	Advisor Advisor
	Actor   Actor
	// Plan is the plan digest that was decided on. If the chosen action no longer has it, the world has moved.
	Plan string
	// Book is where what is to be done is agreed with every other process that may act. What reaches Git or further is not
	// done without one; annotations need none.
	Book *Book
}

// Book is shared by all processes that may act, whatever they believe about who leads. Each function is required. A refusal is
// a reason; an error means that nobody can say, and nothing is done.
type Book struct {
	// Reserve spends from the budgets for an action, before anything is done. What is reserved stays spent.
	Reserve func(ctx context.Context, p gate.Policy, q Question, plan gate.Action, cause string) (reservation string, refused *gate.Reason, err error)
	// Claim puts an intent, which is durably logged, onto its Case and uses up the approvals that it rests on. Of several
	// processes one succeeds.
	Claim func(ctx context.Context, i Intent) (refused *gate.Reason, err error)
	// Settle says what came of an intent.
	Settle func(ctx context.Context, i Intent, o gate.Outcome, text string) error
}

// Intent is an action that is about to be done.
type Intent struct {
	Case        string // correlation: namespace/name of the Case
	Action      gate.Action
	Cause       string
	Reservation string
	Approvals   []gate.Approval // that it rests on
	Position    gate.Position   // of its record
}

// Act looks at the world again, decides again, reserves, durably logs the intent, claims the Case, acts under the Permit, and
// logs the outcome.
//
// A verdict that is no longer Allow, a plan that has changed, a question off the record, a budget that is spent, another who was first, and an intent that
// could not be written all mean that nothing is done: the last is an error, the others are results (OutcomeRefused, with the
// reason in the verdict). An outcome that could not be written is an error with the outcome beside it, and nothing is tried
// again.
func Act(ctx context.Context, a Attempt) (gate.Outcome, gate.Verdict, error) {
	q, p, err := a.Look(ctx)
	if err != nil {
		return gate.OutcomeRefused, gate.Verdict{}, fmt.Errorf("look again before acting: %w", err)
	}
	q.Asking = p.Asking()
	opinion := a.Advisor.Advise(ctx, q)
	j := Judgement{Question: q, Policy: p, Assessment: opinion, Verdict: gate.Decide(p, opinion, q.Facts)}
	plan, _ := j.Chosen()
	if plan.PlanDigest() != a.Plan {
		return gate.OutcomeRefused, j.Verdict.Lower(gate.Reason{Rule: "plan", Decision: gate.Hold, Text: "the plan is not what was decided on any more: the world has moved"}), nil
	}
	if q.OffRecord {
		return gate.OutcomeRefused, j.Verdict.Lower(gate.Reason{Rule: "record", Decision: gate.Hold, Text: "this is off the record, and nothing is done that is not written down"}), nil
	}
	permit, permitted := j.Verdict.Permit()
	if !permitted {
		return gate.OutcomeRefused, j.Verdict, nil
	}
	i := Intent{Case: q.Case, Action: plan, Cause: opinion.Cause, Approvals: gate.Approving(q.Facts, plan)}
	if refused, err := a.reserve(ctx, j, &i); err != nil || refused != nil {
		return gate.OutcomeRefused, lowered(j.Verdict, refused), err
	}
	if i.Position, err = a.Log.Append(ctx, j.intent(i)); err != nil {
		return gate.OutcomeRefused, j.Verdict, fmt.Errorf("write down the intent to %s %s, so nothing was done: %w", plan.Verb, plan.Target, err)
	}
	if refused, err := a.claim(ctx, i); err != nil || refused != nil {
		return gate.OutcomeRefused, lowered(j.Verdict, refused), errors.Join(err, a.close(ctx, j, i, gate.OutcomeRefused, unclaimed(refused, err)))
	}
	outcome, actErr := a.Actor.Act(ctx, permit, plan)
	text := ""
	if actErr != nil {
		text = actErr.Error()
	}
	return outcome, j.Verdict, errors.Join(actErr, a.close(ctx, j, i, outcome, text))
}

// reserve reserves an action that others may want to do too. What only marks a rollout needs no reservation.
func (a Attempt) reserve(ctx context.Context, j Judgement, i *Intent) (*gate.Reason, error) {
	if a.Book == nil {
		if i.Action.Reach <= gate.ReachGit {
			return nil, fmt.Errorf("%s %s: there is no book to reserve it in, so nothing was done", i.Action.Verb, i.Action.Target)
		}
		return nil, nil
	}
	id, refused, err := a.Book.Reserve(ctx, j.Policy, j.Question, i.Action, i.Cause)
	if err != nil {
		return nil, fmt.Errorf("reserve %s %s, so nothing was done: %w", i.Action.Verb, i.Action.Target, err)
	}
	i.Reservation = id
	return refused, nil
}

func (a Attempt) claim(ctx context.Context, i Intent) (*gate.Reason, error) {
	if a.Book == nil {
		return nil, nil
	}
	refused, err := a.Book.Claim(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("claim case %s, so nothing was done: %w", i.Case, err)
	}
	return refused, nil
}

// close writes down the outcome, in the log and in the book, even when the caller has gone: an intent without an outcome must
// be looked into by somebody.
func (a Attempt) close(ctx context.Context, j Judgement, i Intent, o gate.Outcome, text string) error {
	ctx = context.WithoutCancel(ctx)
	_, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordOutcome, Correlation: i.Case, Signal: &j.Question.Signal, Action: &i.Action,
		Digest: i.Action.PlanDigest(), ActionDigest: i.Action.Digest(), Reservation: i.Reservation, Outcome: &o, Text: text})
	if err != nil {
		return fmt.Errorf("write down that %s %s came out as %s: %w", i.Action.Verb, i.Action.Target, o, err)
	}
	if a.Book == nil {
		return nil
	}
	if err := a.Book.Settle(ctx, i, o, text); err != nil {
		return fmt.Errorf("settle that %s %s came out as %s: %w", i.Action.Verb, i.Action.Target, o, err)
	}
	return nil
}

// intent is the record of what is about to be done.
func (j Judgement) intent(i Intent) gate.Record {
	r := j.record()
	r.Kind, r.Action, r.Digest, r.ActionDigest, r.Reservation = gate.RecordIntent, &i.Action, i.Action.PlanDigest(), i.Action.Digest(), i.Reservation
	return r
}

func lowered(v gate.Verdict, refused *gate.Reason) gate.Verdict {
	if refused == nil {
		return v
	}
	return v.Lower(*refused)
}

func unclaimed(refused *gate.Reason, err error) string {
	if refused != nil {
		return "nothing was done: " + refused.Text
	}
	return "nothing was done: " + err.Error()
}
