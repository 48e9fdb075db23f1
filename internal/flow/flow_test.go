package flow

import (
	"context"
	"errors"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

// tape is a Log that remembers the order of things, and fails on demand or when nobody waits for it any more.
type tape struct {
	steps   []string
	records []gate.Record
	fail    gate.RecordKind
}

func (l *tape) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	if r.Kind == l.fail {
		return gate.Position{}, errors.New("no space left on device")
	}
	if err := ctx.Err(); err != nil {
		return gate.Position{}, err
	}
	l.steps, l.records = append(l.steps, string(r.Kind)), append(l.records, r)
	return gate.Position{Log: "tape", Sequence: uint64(len(l.steps))}, nil
}

// hand is an Actor that notes on the tape that it acted.
type hand struct {
	tape    *tape
	outcome gate.Outcome
	err     error
}

func (h hand) Act(_ context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	if !permit.Spend(plan) {
		return gate.OutcomeRefused, errors.New("the permit is not for this plan")
	}
	h.tape.steps = append(h.tape.steps, "act")
	return h.outcome, h.err
}

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

var plan = gate.Action{ID: "evict", Verb: "evict", Undo: "its ReplicaSet starts another",
	Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "u"},
	Request: &gate.Request{Method: "POST", Path: "/api/v1/namespaces/shop/pods/web-1/eviction", ContentType: "application/json",
		Body: []byte(`{"deleteOptions":{"preconditions":{"uid":"u"}}}`)}}

func question() Question {
	return Question{Case: "shop/c", Signal: gate.Signal{Subject: plan.Target}, Facts: gate.Facts{At: now, Subject: plan.Target, Menu: []gate.Action{plan},
		Namespace: gate.Known(map[string]string{}), Paused: gate.Known([]string(nil)), Rollback: gate.Known(false), Failing: gate.Known(false),
		Since: gate.Known(now.Add(-time.Hour)), Oldest: gate.Known(now), Owner: gate.Known(gate.Owner{}), Health: gate.Known(gate.Share{Well: 9, Total: 10}),
		Storm: gate.Known(0), Ledger: gate.Known(gate.Ledger{}), History: gate.Known(gate.Tally{Cause: "crash", Verb: "evict", Tried: 40, Healed: 40}),
		Approvals: gate.Known([]gate.Approval(nil))}}
}

func policy(m gate.Mode) gate.Policy {
	hourly := gate.Budget{Actions: 3, Window: time.Hour}
	return gate.Policy{Rails: []gate.Rail{{Name: "r", Mode: m, WarnBelow: gate.Known(80), DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(60),
		AgreementBelow: gate.Known(70), HistoryBelow: gate.Known(75), Approvers: gate.Known(0), Actions: []gate.Permitted{{Verb: "evict"}},
		Budgets:   gate.Budgets{Total: hourly, Namespace: hourly, Workload: hourly},
		Restraint: gate.Restraint{MinHealthy: gate.Known(51), Storm: gate.Known(20), Fresh: time.Minute, Attempts: 3}}}}
}

var sure = AdvisorFunc(func(context.Context, Question) gate.Assessment {
	return gate.Assessment{Advisor: "sure", Cause: "crash", Score: gate.Known(100), Confidence: gate.Known(100), Agreement: gate.Known(100), Choice: []string{"evict"}}
})

// book is a Book that notes on the tape what is asked of it, and never refuses.
func book(l *tape) *Book {
	return &Book{
		Reserve: func(context.Context, gate.Policy, Question, gate.Action, string) (string, *gate.Reason, error) {
			l.steps = append(l.steps, "reserve")
			return "r1", nil, nil
		},
		Claim: func(context.Context, Intent) (*gate.Reason, error) {
			l.steps = append(l.steps, "claim")
			return nil, nil
		},
		Settle: func(ctx context.Context, _ Intent, _ gate.Outcome, _ string) error {
			l.steps = append(l.steps, "settle")
			return ctx.Err()
		},
	}
}

func attempt(l *tape, m gate.Mode) Attempt {
	return Attempt{Log: l, Advisor: sure, Actor: hand{tape: l, outcome: gate.OutcomeDone}, Plan: plan.PlanDigest(), Book: book(l),
		Look: func(context.Context) (Question, gate.Policy, error) { return question(), policy(m), nil }}
}

func TestJudge(t *testing.T) {
	t.Run("records the verdict", func(t *testing.T) {
		var l tape
		j, err := Judge(t.Context(), &l, question(), policy(gate.Observe), sure)
		if err != nil || j.Verdict.Decision != gate.Hold || j.Position.Sequence != 1 {
			t.Errorf("judgement %+v, error %v", j, err)
		}
	})
	t.Run("leaves no record when off the record", func(t *testing.T) {
		var l tape
		q := question()
		q.OffRecord = true
		if _, err := Judge(t.Context(), &l, q, policy(gate.Observe), sure); err != nil || len(l.steps) != 0 {
			t.Errorf("steps %v, error %v", l.steps, err)
		}
	})
	t.Run("says so when the verdict could not be recorded, and still has it", func(t *testing.T) {
		l := tape{fail: gate.RecordVerdict}
		j, err := Judge(t.Context(), &l, question(), policy(gate.Observe), sure)
		if err == nil || j.Verdict.Decision != gate.Hold || j.Position.Sequence != 0 {
			t.Errorf("judgement %+v, error %v", j, err)
		}
	})
}
