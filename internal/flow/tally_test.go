package flow

import (
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

func replayed(at time.Time, was, is Ending, d gate.Decision, rule string) Replayed {
	r := Replayed{Kind: gate.RecordVerdict, At: at, Area: AreaLive, Subject: target, Before: Answer{Ending: was, Verdict: gate.Verdict{Decision: gate.Hold,
		Reasons: []gate.Reason{{Rule: "mode", Decision: gate.Hold, Text: at.String()}}}}, After: Answer{Ending: is, Verdict: gate.Verdict{Decision: d}}}
	if rule != "" {
		r.After.Verdict.Reasons = []gate.Reason{{Rule: rule, Decision: d}}
	}
	return r
}

func TestTheSameChangeIsToldOnce(t *testing.T) {
	var sum Tally
	for i := range 5 {
		sum.Add(replayed(noon.Add(time.Duration(i)*time.Hour), Held, Done, gate.Allow, ""))
	}
	sum.Add(replayed(noon, Held, Held, gate.Hold, "history"))
	sum.Add(replayed(noon, Held, Held, gate.Hold, "history"))
	sum.Add(replayed(noon, Held, OnceApproved, gate.Hold, "approval"))
	sum.Add(replayed(noon, Held, Held, gate.Hold, "mode"))
	groups := sum.Groups()
	if len(groups) != 3 || groups[0].Count != 5 || groups[0].After.Ending != Done || groups[1].After.Ending != OnceApproved || groups[2].Count != 2 {
		t.Fatalf("%+v", groups)
	}
	if g := groups[0]; !g.First.Equal(noon) || !g.At.Equal(noon.Add(4*time.Hour)) {
		t.Errorf("from %s to %s", g.First, g.At)
	}
	if sum.Verdicts[gate.Hold][gate.Allow] != 5 || sum.Verdicts.Sum() != 9 || sum.Changed != 8 || sum.Loosened != 6 {
		t.Errorf("%+v", sum)
	}
	if got := sum.Rules["mode"]; got != (Shift{Before: 9, After: 1}) {
		t.Errorf("rule mode %+v", got)
	}
	if got := sum.Endings[AreaLive][Held]; got != (Shift{Before: 9, After: 3}) {
		t.Errorf("held %+v", got)
	}
}

func TestWhatWasBegunIsCountedByItself(t *testing.T) {
	var sum Tally
	r := replayed(noon, Done, Held, gate.Hold, "freeze")
	r.Kind, r.Before.Verdict = gate.RecordIntent, gate.Verdict{Decision: gate.Allow}
	sum.Add(r)
	if sum.Begun[gate.Allow][gate.Hold] != 1 || sum.Verdicts.Sum() != 0 || sum.Tightened != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestATallyStaysSmall(t *testing.T) {
	var sum Tally
	for i := range groupsMax + 10 {
		r := replayed(noon, Held, Done, gate.Allow, "")
		r.Subject.Name = time.Duration(i).String()
		sum.Add(r)
	}
	if len(sum.Groups()) != groupsMax || sum.Ungrouped != 10 || sum.Changed != groupsMax+10 {
		t.Errorf("%d groups, %d ungrouped, %d changed", len(sum.Groups()), sum.Ungrouped, sum.Changed)
	}
}
