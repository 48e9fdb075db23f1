package flow

import (
	"context"
	"errors"
	"slices"
	"testing"

	"moorgate.dev/internal/gate"
)

// counting is an Actor that counts what it wrote.
type counting struct{ writes *int }

func (c counting) Act(_ context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	if !permit.Spend(plan) {
		return gate.OutcomeRefused, errors.New("the permit is not for this plan")
	}
	*c.writes++
	return gate.OutcomeDone, nil
}

// TestL01BelowOrWithoutAThresholdNothingIsWritten goes through every threshold: where the number is below it, or the threshold is
// missing or makes no sense, the attempt ends without a write. Just at the threshold it is written once, which shows that each is
// live.
func TestL01BelowOrWithoutAThresholdNothingIsWritten(t *testing.T) {
	type numbers struct{ score, confidence, agreement, healed int }
	sound := numbers{100, 100, 100, 40}
	thresholds := map[string]struct {
		set          func(*gate.Rail, gate.Fact[int])
		value        int
		at, below    numbers
		noSuchNumber func(*gate.Assessment, *gate.Facts)
	}{
		"warnBelow": {func(r *gate.Rail, n gate.Fact[int]) { r.WarnBelow = n }, 80, numbers{80, 100, 100, 40}, numbers{79, 100, 100, 40},
			func(a *gate.Assessment, _ *gate.Facts) { a.Score = gate.Unknown[int]("not a number") }},
		"denyBelow": {func(r *gate.Rail, n gate.Fact[int]) { r.DenyBelow, r.WarnBelow = n, gate.Known(0) }, 50, numbers{50, 100, 100, 40}, numbers{49, 100, 100, 40},
			func(a *gate.Assessment, _ *gate.Facts) { a.Score = gate.Known(101) }},
		"confidenceBelow": {func(r *gate.Rail, n gate.Fact[int]) { r.ConfidenceBelow = n }, 60, numbers{100, 60, 100, 40}, numbers{100, 59, 100, 40},
			func(a *gate.Assessment, _ *gate.Facts) { a.Confidence = gate.Unknown[int]("not a number") }},
		"agreementBelow": {func(r *gate.Rail, n gate.Fact[int]) { r.AgreementBelow = n }, 70, numbers{100, 100, 70, 40}, numbers{100, 100, 69, 40},
			func(a *gate.Assessment, _ *gate.Facts) { a.Agreement = gate.Known(-1) }},
		"historyBelow": {func(r *gate.Rail, n gate.Fact[int]) { r.HistoryBelow = n }, 75, numbers{100, 100, 100, 37}, numbers{100, 100, 100, 35},
			func(_ *gate.Assessment, f *gate.Facts) {
				f.History = gate.Known(gate.Tally{Cause: "crash", Verb: "evict", Tried: 40, Healed: 41})
			}},
	}
	for name, threshold := range thresholds {
		for _, row := range []struct {
			name    string
			value   gate.Fact[int]
			numbers numbers
			spoil   func(*gate.Assessment, *gate.Facts)
			writes  int
		}{
			{"at it", gate.Known(threshold.value), threshold.at, nil, 1},
			{"below it", gate.Known(threshold.value), threshold.below, nil, 0},
			{"no number", gate.Known(threshold.value), sound, threshold.noSuchNumber, 0},
			{"missing", gate.Fact[int]{}, sound, nil, 0},
			{"101", gate.Known(101), sound, nil, 0},
			{"-1", gate.Known(-1), sound, nil, 0},
		} {
			var l tape
			writes := 0
			a := attempt(&l, gate.Automatic)
			a.Actor = counting{&writes}
			a.Look = func(context.Context) (Question, gate.Policy, error) {
				q, p := question(), policy(gate.Automatic)
				threshold.set(&p.Rails[0], row.value)
				q.Facts.History = gate.Known(gate.Tally{Cause: "crash", Verb: "evict", Tried: 40, Healed: row.numbers.healed})
				if row.spoil != nil {
					row.spoil(&gate.Assessment{}, &q.Facts)
				}
				return q, p, nil
			}
			a.Advisor = AdvisorFunc(func(context.Context, Question) gate.Assessment {
				n := row.numbers
				x := gate.Assessment{Cause: "crash", Score: gate.Known(n.score), Confidence: gate.Known(n.confidence), Agreement: gate.Known(n.agreement), Choice: []string{"evict"}}
				if row.spoil != nil {
					row.spoil(&x, &gate.Facts{})
				}
				return x
			})
			outcome, v, err := Act(t.Context(), a)
			if writes != row.writes || err != nil || (outcome == gate.OutcomeDone) != (row.writes > 0) {
				t.Errorf("%s, %s: %d writes, outcome %s, error %v, verdict %+v", name, row.name, writes, outcome, err, v)
			}
			if row.writes == 0 && len(l.steps) > 0 {
				t.Errorf("%s, %s: went as far as %v", name, row.name, l.steps)
			}
		}
	}
}

// TestL03WhatWasWeighedIsWhatIsSent lets an Actor try to send something else than what was weighed, and then the same again.
func TestL03WhatWasWeighedIsWhatIsSent(t *testing.T) {
	other := func(change func(*gate.Action)) func(gate.Action) gate.Action {
		return func(x gate.Action) gate.Action {
			request := *x.Request
			x.Request = &request
			change(&x)
			return x
		}
	}
	for name, send := range map[string]func(gate.Action) gate.Action{
		"another body":   other(func(x *gate.Action) { x.Request.Body = []byte(`{}`) }),
		"another object": other(func(x *gate.Action) { x.Request.Path = "/api/v1/namespaces/shop/pods/web-2/eviction" }),
		"another method": other(func(x *gate.Action) { x.Request.Method = "DELETE" }),
		"another plan":   other(func(x *gate.Action) { x.Edits = []gate.Edit{{Path: "spec.replicas", New: "0"}} }),
		"another uid":    other(func(x *gate.Action) { x.Target.UID = "v" }),
	} {
		var l tape
		writes := 0
		a := attempt(&l, gate.Automatic)
		a.Actor = actorFunc(func(ctx context.Context, permit gate.Permit, x gate.Action) (gate.Outcome, error) {
			if o, err := (counting{&writes}).Act(ctx, permit, send(x)); o != gate.OutcomeRefused || err == nil || writes > 0 {
				t.Errorf("%s was sent", name)
			}
			first, err := counting{&writes}.Act(ctx, permit, x)
			if _, err := (counting{&writes}).Act(ctx, permit, x); err == nil || writes != 1 {
				t.Errorf("after %s: %d writes", name, writes)
			}
			return first, err
		})
		if o, _, err := Act(t.Context(), a); o != gate.OutcomeDone || err != nil {
			t.Errorf("%s: %s, %v", name, o, err)
		}
	}
}

type actorFunc func(context.Context, gate.Permit, gate.Action) (gate.Outcome, error)

func (f actorFunc) Act(ctx context.Context, permit gate.Permit, x gate.Action) (gate.Outcome, error) {
	return f(ctx, permit, x)
}

// TestL08ALogThatFailsStopsTheAction shows that what cannot be written down is not done, however often it is tried, and that the
// world and the Case are not touched.
func TestL08ALogThatFailsStopsTheAction(t *testing.T) {
	l := tape{fail: gate.RecordIntent}
	writes := 0
	for range 10 {
		a := attempt(&l, gate.Automatic)
		a.Actor = counting{&writes}
		if o, v, err := Act(t.Context(), a); o != gate.OutcomeRefused || err == nil || v.Decision != gate.Allow {
			t.Fatalf("%s, %+v, %v", o, v, err)
		}
	}
	if writes > 0 || slices.Contains(l.steps, "claim") || slices.Contains(l.steps, "settle") {
		t.Errorf("%d writes, steps %v", writes, l.steps)
	}
}
