package drift

import (
	"context"
	"errors"
	"fmt"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// holdLook is how often it is looked whether what is held is to be let go.
const holdLook = time.Minute

// Tell says how a hold came out.
func (h *Holds) Tell(plan gate.Action, o gate.Outcome, text string) string {
	switch o {
	case gate.OutcomeDone:
		return "Flux leaves " + plan.Target.Kind + "/" + plan.Target.Name + " alone, until people have decided on the pull request or the time is over"
	case gate.OutcomeUnknown:
		return "nobody knows whether its delivery is held, and that is found out: " + text
	}
	return "its delivery is not held: " + text
}

// Fate is what became of a hold of which nobody knows, by what the object says.
func (h *Holds) Fate(ctx context.Context, _ *v1alpha1.Case, target gate.Ref) (gate.Outcome, string, error) {
	now, err := h.object(ctx, target)
	switch {
	case errors.Is(err, acting.ErrGone):
		return gate.OutcomeRefused, "how the hold ended was not known, and the object is gone: there is nothing to hold", nil
	case err != nil:
		return gate.OutcomeUnknown, "", err
	case cluster.HoldOn(now) == cluster.HoldOurs:
		return gate.OutcomeDone, "how the hold ended was not known, and it was found on the object", nil
	}
	return gate.OutcomeRefused, "how the hold ended was not known, and it is not on the object: nothing is held", nil
}

// Verify lets an object be delivered again once there is no reason left to hold it. What a person made of the annotation is theirs.
func (h *Holds) Verify(ctx context.Context, c *v1alpha1.Case, _ time.Duration) (acting.Effect, error) {
	subject := signalOf(c).Subject
	now, err := h.object(ctx, subject)
	switch {
	case errors.Is(err, acting.ErrGone):
		return acting.Effect{Phase: v1alpha1.PhaseHealed, Text: "the object is gone, and with it what held its delivery"}, nil
	case err != nil:
		return acting.Effect{}, err
	}
	switch cluster.HoldOn(now) {
	case cluster.HoldNone:
		return acting.Effect{Phase: v1alpha1.PhaseHealed, Text: "what held its delivery is not there any more: it is delivered again"}, nil
	case cluster.HoldOthers:
		return acting.Effect{Phase: v1alpha1.PhaseHealed, Text: "somebody else tells Flux what to do with it by now, and that is left to them"}, nil
	}
	why, left, err := h.letGo(ctx, c)
	switch {
	case err != nil:
		return acting.Effect{}, err
	case why == "":
		return acting.Effect{Wait: max(time.Second, min(holdLook, left))}, nil
	}
	if err := h.release(ctx, c, subject); err != nil {
		return acting.Effect{}, fmt.Errorf("let it be delivered again, because %s: %w", why, err)
	}
	return acting.Effect{Phase: v1alpha1.PhaseHealed, Text: "it is delivered again: " + why}, nil
}

// letGo says why an object is to be delivered again; empty: it is not yet, and left is for how long it may still be held. It is counted
// from when a hold was set out for, whoever found out what became of it.
func (h *Holds) letGo(ctx context.Context, c *v1alpha1.Case) (why string, left time.Duration, err error) {
	policy, err := h.Guardrails.Policy(ctx, c.Namespace)
	if err != nil {
		return "", 0, err
	}
	most := policy.HoldFor()
	left = most - h.Proposals.Detector.Now().Sub(c.Status.Acting.Intent.At.Time)
	switch {
	case most == 0:
		return "no Guardrail lets it be held any more", 0, nil
	case left <= 0:
		return fmt.Sprintf("it was held for %s, which is as long as drift.holdFor says", most), 0, nil
	}
	_, why, err = h.decided(ctx, c, true)
	return why, left, err
}

// release takes our annotation away, with a permit and records of its own: it needs no approval, because it puts back what was, and no
// budget. Whoever dies in between leaves the annotation as it was or gone, and the next one sees which.
func (h *Holds) release(ctx context.Context, c *v1alpha1.Case, subject gate.Ref) error {
	outcome, verdict, err := flow.Act(ctx, flow.Attempt{Log: h.Proposals.Log, Actor: h.Hand, Advisor: flow.AdvisorFunc(adviseHold), Plan: gate.Releasing(subject).PlanDigest(),
		Look: func(ctx context.Context) (flow.Question, gate.Policy, error) { return h.lookToRelease(ctx, c, subject) }})
	switch {
	case err != nil:
		return err
	case outcome == gate.OutcomeDone || outcome == gate.OutcomeNothing:
		return nil
	case len(verdict.Reasons) > 0:
		return fmt.Errorf("it came out %s: %s", outcome, verdict.Reasons[0].Text)
	}
	return fmt.Errorf("it came out %s", outcome)
}

// lookToRelease looks once more just before: there is nothing to release but what is ours.
func (h *Holds) lookToRelease(ctx context.Context, c *v1alpha1.Case, subject gate.Ref) (flow.Question, gate.Policy, error) {
	d := h.Proposals.Detector
	q := flow.Question{Signal: signalOf(c), Case: caseRef(c), Facts: gate.Facts{At: d.Now(), Subject: subject}}
	if d.Circumstances.Paused != nil {
		q.Facts.Paused = d.Circumstances.Paused(ctx)
	}
	now, err := h.object(ctx, subject)
	if err != nil {
		return q, gate.Policy{}, err
	}
	policy, err := h.Guardrails.Policy(ctx, c.Namespace)
	if err != nil || cluster.HoldOn(now) != cluster.HoldOurs {
		return q, policy, err
	}
	plan := gate.Releasing(subject)
	request, err := cluster.RequestOf(plan)
	if err != nil {
		return q, gate.Policy{}, err
	}
	plan.Request = &request
	q.Facts.Menu = []gate.Action{plan}
	return q, policy, nil
}
