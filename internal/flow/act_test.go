package flow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

// late is a reason that is found only after deciding.
var late = &gate.Reason{Rule: "budget", Guardrail: "r", Decision: gate.Hold, Text: "1 action in 1h, and there may be 1"}

func TestAct(t *testing.T) {
	all := []string{"reserve", "intent", "claim", "act", "outcome", "settle"}
	unclaimed := []string{"reserve", "intent", "claim", "outcome", "settle"}
	type change func(l *tape, a *Attempt)
	looking := func(change func(q *Question, p *gate.Policy)) change {
		return func(_ *tape, a *Attempt) {
			look := a.Look
			a.Look = func(ctx context.Context) (Question, gate.Policy, error) {
				q, p, err := look(ctx)
				change(&q, &p)
				return q, p, err
			}
		}
	}
	reserving := func(refused *gate.Reason, err error) change {
		return func(l *tape, a *Attempt) {
			a.Book.Reserve = func(context.Context, gate.Policy, Question, gate.Action, string) (string, *gate.Reason, error) {
				l.steps = append(l.steps, "reserve")
				return "r1", refused, err
			}
		}
	}
	claiming := func(refused *gate.Reason, err error) change {
		return func(l *tape, a *Attempt) {
			a.Book.Claim = func(context.Context, Intent) (*gate.Reason, error) {
				l.steps = append(l.steps, "claim")
				return refused, err
			}
		}
	}
	tests := []struct {
		name   string
		change change
		want   gate.Outcome
		steps  []string
		rule   string // of the last reason of the verdict
		says   string // in the error
	}{
		{"reserves, writes down the intent, claims, acts, writes down the outcome, settles", func(*tape, *Attempt) {}, gate.OutcomeDone, all, "", ""},
		{"does nothing in Observe", looking(func(_ *Question, p *gate.Policy) { *p = policy(gate.Observe) }), gate.OutcomeRefused, nil, "mode", ""},
		{"does nothing without a permit", looking(func(q *Question, _ *gate.Policy) { q.Facts.Menu[0].Request = nil }), gate.OutcomeRefused, nil, "", ""},
		{"does nothing when the plan has moved", func(_ *tape, a *Attempt) { a.Plan = "sha256:other" }, gate.OutcomeRefused, nil, "plan", ""},
		{"does nothing when another is chosen", func(_ *tape, a *Attempt) {
			a.Advisor = AdvisorFunc(func(context.Context, Question) gate.Assessment { return gate.Assessment{Choice: []string{"other"}} })
		}, gate.OutcomeRefused, nil, "plan", ""},
		{"does nothing off the record", looking(func(q *Question, _ *gate.Policy) { q.OffRecord = true }), gate.OutcomeRefused, nil, "record", ""},
		{"does nothing when the world cannot be read", func(_ *tape, a *Attempt) {
			a.Look = func(context.Context) (Question, gate.Policy, error) {
				return question(), policy(gate.Automatic), errors.New("connection refused")
			}
		}, gate.OutcomeRefused, nil, "", "look again before acting: connection refused"},
		{"does nothing when the budget is spent meanwhile", reserving(late, nil), gate.OutcomeRefused, []string{"reserve"}, "budget", ""},
		{"does nothing when nobody can say whether it is reserved", reserving(nil, errors.New("timeout")), gate.OutcomeRefused, []string{"reserve"}, "",
			"reserve evict Pod/web-1 in shop, so nothing was done: timeout"},
		{"does nothing without a book", func(_ *tape, a *Attempt) { a.Book = nil }, gate.OutcomeRefused, nil, "", "there is no book"},
		{"does nothing without a durable intent, and what was reserved stays spent", func(l *tape, _ *Attempt) { l.fail = gate.RecordIntent }, gate.OutcomeRefused,
			[]string{"reserve"}, "", "write down the intent to evict Pod/web-1 in shop, so nothing was done: no space left on device"},
		{"does nothing when another was first, and says so", claiming(&gate.Reason{Rule: "claim", Decision: gate.Hold, Text: "it has an open intent"}, nil), gate.OutcomeRefused,
			unclaimed, "claim", ""},
		{"does nothing when nobody can say who was first, and says so", claiming(nil, errors.New("timeout")), gate.OutcomeRefused, unclaimed, "",
			"claim case shop/c, so nothing was done: timeout"},
		{"reports that another was first and that this could not be written", func(l *tape, a *Attempt) {
			claiming(&gate.Reason{Rule: "claim", Decision: gate.Hold, Text: "it has an open intent"}, nil)(l, a)
			l.fail = gate.RecordOutcome
		}, gate.OutcomeRefused, []string{"reserve", "intent", "claim"}, "claim", "came out as refused: no space left"},
		{"reports an outcome that could not be written, and does not settle it", func(l *tape, _ *Attempt) { l.fail = gate.RecordOutcome }, gate.OutcomeDone,
			[]string{"reserve", "intent", "claim", "act"}, "", "write down that evict Pod/web-1 in shop came out as done: no space left on device"},
		{"reports an outcome that could not be settled", func(l *tape, a *Attempt) {
			a.Book.Settle = func(context.Context, Intent, gate.Outcome, string) error {
				l.steps = append(l.steps, "settle")
				return errors.New("conflict")
			}
		}, gate.OutcomeDone, all, "", "settle that evict Pod/web-1 in shop came out as done: conflict"},
		{"records an ambiguous outcome as unknown", func(l *tape, a *Attempt) {
			a.Actor = hand{tape: l, outcome: gate.OutcomeUnknown, err: errors.New("timeout")}
		}, gate.OutcomeUnknown, all, "", "timeout"},
		{"writes down what was done even when the caller has gone", func(*tape, *Attempt) {}, gate.OutcomeDone, all, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l tape
			a := attempt(&l, gate.Automatic)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if strings.Contains(tt.name, "has gone") {
				a.Actor = leaving{a.Actor, cancel}
			}
			tt.change(&l, &a)
			outcome, v, err := Act(ctx, a)
			if outcome != tt.want || !slices.Equal(l.steps, tt.steps) {
				t.Errorf("outcome %s, steps %v; want %s, %v", outcome, l.steps, tt.want, tt.steps)
			}
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want %q", err, tt.says)
			}
			if last := len(v.Reasons) - 1; tt.rule != "" && (last < 0 || v.Reasons[last].Rule != tt.rule || v.Decision > gate.Hold) {
				t.Errorf("verdict %+v, want one lowered by %s", v, tt.rule)
			}
			if _, permitted := v.Permit(); permitted && tt.rule != "" {
				t.Error("a verdict that was lowered carries a permit")
			}
		})
	}
}

// leaving is an Actor whose caller goes away while it acts.
type leaving struct {
	Actor
	cancel func()
}

func (l leaving) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	o, err := l.Actor.Act(ctx, permit, plan)
	l.cancel()
	return o, err
}

// TestWhatIsWrittenOfAnAttempt shows that intent, claim, outcome and settlement are about the same action, and what they hold.
func TestWhatIsWrittenOfAnAttempt(t *testing.T) {
	var l tape
	a := attempt(&l, gate.Approve)
	word := gate.Approval{Approver: "ana", Plan: plan.PlanDigest(), At: now, Expires: now.Add(1)}
	a.Look = func(context.Context) (Question, gate.Policy, error) {
		q := question()
		q.Facts.Approvals = gate.Known([]gate.Approval{word, {Approver: "ben", Plan: "sha256:other", Expires: now.Add(1)}})
		return q, policy(gate.Approve), nil
	}
	var claimed, settled Intent
	a.Book.Claim = func(_ context.Context, i Intent) (*gate.Reason, error) { claimed = i; return nil, nil }
	a.Book.Settle = func(_ context.Context, i Intent, o gate.Outcome, _ string) error {
		if settled = i; o != gate.OutcomeDone {
			t.Errorf("settled as %s", o)
		}
		return nil
	}
	if o, _, err := Act(t.Context(), a); o != gate.OutcomeDone || err != nil {
		t.Fatal(o, err)
	}
	if !slices.Equal(claimed.Approvals, []gate.Approval{word}) || claimed.Reservation != "r1" || claimed.Case != "shop/c" || claimed.Cause != "crash" ||
		claimed.Position != (gate.Position{Log: "tape", Sequence: 2}) || claimed.Action.Digest() != plan.Digest() {
		t.Errorf("claimed %+v", claimed)
	}
	if settled.Position != claimed.Position || settled.Reservation != "r1" {
		t.Errorf("settled %+v", settled)
	}
	for _, r := range l.records {
		if r.Digest != plan.PlanDigest() || r.ActionDigest != plan.Digest() || r.Reservation != "r1" || r.Correlation != "shop/c" || r.Action == nil || r.Signal == nil {
			t.Errorf("%s: %+v", r.Kind, r)
		}
	}
	if intent := l.records[0]; intent.Kind != gate.RecordIntent || intent.Verdict.Decision != gate.Allow || intent.Facts == nil || intent.Policy == nil {
		t.Errorf("the intent does not say why: %+v", intent)
	}
	if out := l.records[1]; out.Kind != gate.RecordOutcome || *out.Outcome != gate.OutcomeDone {
		t.Errorf("%+v", out)
	}
}

// TestARefusalIsWrittenDown shows what the log and the book hold of an intent that another was faster with.
func TestARefusalIsWrittenDown(t *testing.T) {
	var l tape
	a := attempt(&l, gate.Automatic)
	a.Book.Claim = func(context.Context, Intent) (*gate.Reason, error) {
		return &gate.Reason{Rule: "claim", Decision: gate.Hold, Text: "it has an open intent"}, nil
	}
	var text string
	a.Book.Settle = func(_ context.Context, _ Intent, o gate.Outcome, s string) error {
		if text = s; o != gate.OutcomeRefused {
			t.Errorf("settled as %s", o)
		}
		return nil
	}
	if _, _, err := Act(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if out := l.records[len(l.records)-1]; out.Kind != gate.RecordOutcome || *out.Outcome != gate.OutcomeRefused || out.Text != text || text != "nothing was done: it has an open intent" {
		t.Errorf("%+v, %q", out, text)
	}
}

// TestAMarkNeedsNoBook shows that an annotation is written between its intent and its outcome, and reserved nowhere.
func TestAMarkNeedsNoBook(t *testing.T) {
	var l tape
	mark := gate.Action{ID: "evict", Verb: "annotate", Reach: gate.ReachMark,
		Target:  gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"},
		Request: &gate.Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web"}}
	a := attempt(&l, gate.Observe)
	a.Book, a.Plan = nil, mark.PlanDigest()
	a.Look = func(context.Context) (Question, gate.Policy, error) {
		q, p := question(), policy(gate.Observe)
		q.Facts.Menu, p.Rails[0].Admission = []gate.Action{mark}, gate.AdmissionWarn
		return q, p, nil
	}
	if o, _, err := Act(t.Context(), a); o != gate.OutcomeDone || err != nil || !slices.Equal(l.steps, []string{"intent", "act", "outcome"}) {
		t.Errorf("%s, %v, %v", o, l.steps, err)
	}
}
