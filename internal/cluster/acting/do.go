package acting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// act carries out what was chosen for a Case, if that still is so when looked at without any cache.
func (a *Acts) act(ctx context.Context, c *v1alpha1.Case, chosen gate.Action) (time.Duration, error) {
	plan := chosen.PlanDigest()
	d := &deed{Acts: a, c: c, plan: plan}
	outcome, verdict, err := flow.Act(ctx, flow.Attempt{Log: a.Log, Look: d.look, Advisor: d, Actor: d, Plan: plan,
		Book: &flow.Book{Reserve: d.reserve, Claim: d.claim, Settle: d.settle}})
	switch {
	case err != nil:
		return 0, fmt.Errorf("act on case %s/%s: it came out %s: %w", c.Namespace, c.Name, outcome, err)
	case d.view.Unfit != nil:
		return a.hold(ctx, c, held{plan: plan, verb: chosen.Verb, verdict: verdictOf(d.view.Unfit)})
	case verdict.Decision < gate.Allow:
		return a.hold(ctx, c, held{plan: plan, verb: chosen.Verb, verdict: verdict})
	}
	return a.Every, nil // or as soon as what is unknown may be looked into
}

// deed is one attempt at one action.
type deed struct {
	*Acts
	c     *v1alpha1.Case
	plan  string
	view  View
	until time.Time // after which nothing may be sent any more
}

// Advise has the opinion of the face on what was seen last.
func (d *deed) Advise(ctx context.Context, q flow.Question) gate.Assessment {
	return d.view.Advisor.Advise(ctx, q)
}

// look looks at the world as it is now. The action on the menu carries the request that would be sent; one that is unfit is none.
func (d *deed) look(ctx context.Context) (flow.Question, gate.Policy, error) {
	var err error
	if d.view, err = d.see(ctx, d.c, d.plan, true); err != nil {
		return flow.Question{}, gate.Policy{}, err
	}
	guardrails := d.Guardrails
	guardrails.Reader = d.Client
	policy, err := guardrails.Policy(ctx, d.c.Namespace)
	if err != nil {
		return flow.Question{}, gate.Policy{}, err
	}
	q := &d.view.Question
	if d.view.Unfit != nil {
		q.Facts.Menu = slices.DeleteFunc(slices.Clone(q.Facts.Menu), func(m gate.Action) bool { return m.PlanDigest() == d.plan })
	}
	return *q, policy, nil
}

// reserve reserves the action in the ledger. From before that on its time runs: a budget is counted from when it was reserved.
func (d *deed) reserve(ctx context.Context, p gate.Policy, _ flow.Question, plan gate.Action, cause string) (string, *gate.Reason, error) {
	d.until = d.Now().Add(d.Within).Round(0) // by the wall clock: the other one stands still while a machine sleeps
	return d.Reserve(ctx, p, gate.NewSpent(p, plan, cause))
}

// claim uses up the approvals before the Case is claimed: a crash in between spends them, and never leaves one that was used
// and can be used again.
func (d *deed) claim(ctx context.Context, i flow.Intent) (*gate.Reason, error) {
	if refused, err := d.Use(ctx, d.c.Namespace, i.Approvals, i.Reservation); refused != nil || err != nil {
		return refused, err
	}
	return d.Cases.Claim(ctx, i, d.view.Well)
}

// Act hands over to the Actor, unless so much time has passed that others may have begun to find out what became of it.
func (d *deed) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	if !d.Now().Before(d.until) {
		return gate.OutcomeRefused, fmt.Errorf("more than %s have passed since it was reserved, so nothing was done", d.Within)
	}
	ctx, cancel := context.WithDeadline(ctx, d.until)
	defer cancel()
	return d.Actor.Act(ctx, permit, plan)
}

// settle says what came of an intent, in the ledger and on the Case. Where no answer came that could be trusted the Case stays
// with the intent, and what became of it is found out by looking, as if the process had died.
func (d *deed) settle(ctx context.Context, i flow.Intent, o gate.Outcome, text string) error {
	key, text := client.ObjectKeyFromObject(d.c), d.Face.Tell(i.Action, o, text)
	if o == gate.OutcomeUnknown {
		return errors.Join(d.Settle(ctx, i.Reservation, gate.ResultUnknown), d.Cases.Settled(ctx, key, i.Reservation, v1alpha1.PhaseActing, text))
	}
	return d.conclude(ctx, key, i.Reservation, o, text)
}

// conclude writes down what came of an intent, where everybody sees it.
func (a *Acts) conclude(ctx context.Context, key client.ObjectKey, reservation string, o gate.Outcome, text string) error {
	result, phase := gate.ResultUnknown, v1alpha1.PhaseUnclear
	switch o {
	case gate.OutcomeDone:
		result, phase = gate.ResultDone, v1alpha1.PhaseActed
	case gate.OutcomeRefused, gate.OutcomeNothing:
		result, phase = gate.ResultRefused, v1alpha1.PhaseRefused
	}
	return errors.Join(a.Settle(ctx, reservation, result), a.Cases.Settled(ctx, key, reservation, phase, text))
}
