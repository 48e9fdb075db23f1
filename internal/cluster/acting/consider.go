package acting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// consider looks whether what was chosen for a Case may be done now, and does it or says why not.
func (a *Acts) consider(ctx context.Context, c *v1alpha1.Case) (time.Duration, error) {
	plan, ours := Chosen(c, a.Face.Reach())
	if !ours || a.Face.Over(c) {
		return 0, nil
	}
	v, err := a.see(ctx, c, plan, false)
	if errors.Is(err, ErrGone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if v.Quiet {
		return a.Every, nil
	}
	policy, err := a.Guardrails.Policy(ctx, c.Namespace)
	if err != nil {
		return 0, err
	}
	j, err := a.weigh(ctx, v, policy, true)
	if err != nil {
		return 0, err
	}
	action, _ := j.Chosen()
	switch {
	case exhausted(c, v.Question, action):
		return rarely * a.Every, nil // the Case says how the last action came out, and that it takes a human now
	case v.Unfit != nil:
		return a.hold(ctx, c, held{plan: plan, verb: action.Verb, verdict: verdictOf(v.Unfit)})
	case action.PlanDigest() != plan:
		return a.hold(ctx, c, held{plan: plan, verdict: verdictOf(only("plan", "what was judged cannot be done any more: what it is about has changed since"))})
	case j.Verdict.Decision < gate.Allow:
		return a.hold(ctx, c, held{plan: plan, verb: action.Verb, verdict: j.Verdict, view: &v, policy: policy})
	}
	return a.act(ctx, c, action)
}

// see looks at a happening, and writes down what humans said about it.
func (a *Acts) see(ctx context.Context, c *v1alpha1.Case, plan string, live bool) (View, error) {
	v, err := a.Face.See(ctx, c, plan, live)
	if err != nil {
		return View{}, err
	}
	if v.Question.Case != client.ObjectKeyFromObject(c).String() {
		return View{}, fmt.Errorf("case %s/%s is not the Case of what it tells of, which is %s", c.Namespace, c.Name, v.Question.Case)
	}
	return v, a.hear(ctx, v.Question)
}

// weigh has the guardrail decide on what was seen.
func (a *Acts) weigh(ctx context.Context, v View, p gate.Policy, offRecord bool) (flow.Judgement, error) {
	q := v.Question
	q.OffRecord = offRecord
	return flow.Judge(ctx, a.Log, q, p, v.Advisor)
}

// verdictOf is a verdict that holds for one reason.
func verdictOf(r *gate.Reason) gate.Verdict {
	return gate.Verdict{Decision: r.Decision, Reasons: []gate.Reason{*r}}
}

// exhausted is whether the last action on a Case did not help, or nobody knows, and no human has approved another since.
func exhausted(c *v1alpha1.Case, q flow.Question, action gate.Action) bool {
	switch phase(c) {
	case v1alpha1.PhaseIneffective, v1alpha1.PhaseWorsened, v1alpha1.PhaseUnclear:
		return !slices.ContainsFunc(gate.Approving(q.Facts, action), func(x gate.Approval) bool { return x.At.After(c.Status.Acting.At.Time) })
	}
	return false
}

// held is what is said on a Case of which nothing is done.
type held struct {
	plan, verb string
	verdict    gate.Verdict
	view       *View // what the guardrail decided on; nil where it was not the guardrail that holds
	policy     gate.Policy
}

// hold says on a Case, and writes down, why what was chosen is not done; unless that is said already.
func (a *Acts) hold(ctx context.Context, c *v1alpha1.Case, h held) (time.Duration, error) {
	next := cluster.HeldFor(h.plan, h.verb, h.verdict.Reasons)
	again := a.again(c, h)
	if says := c.Status.Acting; says != nil && says.Plan == next.Plan {
		cooling := slices.ContainsFunc(h.verdict.Reasons, func(r gate.Reason) bool { return r.Rule == "cool-down" })
		if says.Phase == v1alpha1.PhaseRefused && cooling || says.Phase == next.Phase && cluster.SameReasons(says.Reasons, next.Reasons) {
			return again, nil // that it was refused says more than that it is not tried again at once
		}
	}
	key := client.ObjectKeyFromObject(c)
	var err error
	if h.view != nil {
		_, err = a.weigh(ctx, *h.view, h.policy, false)
	} else {
		_, err = a.Log.Append(ctx, gate.Record{Kind: gate.RecordVerdict, Correlation: key.String(), Verdict: &h.verdict, Digest: next.Plan})
	}
	if err != nil {
		return 0, err
	}
	return again, a.Cases.Held(ctx, key, next)
}

// rarely is how much more rarely what has been held for long is looked at, at most.
const rarely = 10

// again is when to look again at what is held: as soon as the wait is over, if that is what it waits for, and the more rarely the
// longer it has been held. What lets it go is a Case, an Approval or a Guardrail most of the time, which wake it.
func (a *Acts) again(c *v1alpha1.Case, h held) time.Duration {
	if h.view == nil || !slices.ContainsFunc(h.verdict.Reasons, func(r gate.Reason) bool { return r.Rule == "wait" }) {
		if phase(c) != v1alpha1.PhaseHeld {
			return a.Every
		}
		return min(max(a.Every, a.Now().Sub(c.Status.Acting.At.Time)/4), rarely*a.Every)
	}
	began, _ := h.view.Question.Facts.Since.Get()
	longest := gate.WaitLeast
	for _, r := range h.policy.Rails {
		longest = max(longest, r.Restraint.Wait)
	}
	left := longest - h.view.Question.Facts.At.Sub(began)
	return max(time.Second, min(a.Every, left+time.Second/10))
}
