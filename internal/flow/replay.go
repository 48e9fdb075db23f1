package flow

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"moorgate.dev/internal/gate"
)

// Replayed is one recorded decision beside what another policy makes of the same question.
type Replayed struct {
	Kind          gate.RecordKind
	Case          string
	At            time.Time
	Face          gate.Face
	Subject       gate.Ref
	Happening     string // the Signal's reason
	Area          Area
	Before, After Answer
	// Elsewise: under the very policy that was recorded, this version decides otherwise than is recorded.
	Elsewise bool
}

// Answer is a verdict with what follows from it.
type Answer struct {
	Verdict gate.Verdict
	Ending  Ending
}

// Replay decides the question of a recorded decision again, under p. Its facts and its opinion are those of the record, so
// the answer depends on nothing else. An error says why it cannot be decided again.
//
// The record must hold the policy itself, not only its digest.
func Replay(r gate.Record, p gate.Policy) (Replayed, error) { return replay(r, p, nil) }

// replay decides again as though begun had been spent too.
func replay(r gate.Record, p gate.Policy, begun []gate.Spent) (Replayed, error) {
	switch {
	case r.Kind != gate.RecordVerdict && r.Kind != gate.RecordIntent:
		return Replayed{}, fmt.Errorf("a record of kind %q holds no decision", r.Kind)
	case r.Facts == nil || r.Assessment == nil || r.Verdict == nil:
		return Replayed{}, errors.New("the record lacks the facts, the opinion or the verdict")
	case r.Policy == nil:
		return Replayed{}, errors.New("the record does not say under which policy it was decided")
	}
	out := Replayed{Kind: r.Kind, Case: r.Correlation, At: r.At, Subject: r.Facts.Subject}
	if r.Signal != nil {
		out.Face, out.Happening = r.Signal.Face, r.Signal.Reason
	}
	control := gate.Decide(*r.Policy, *r.Assessment, *r.Facts)
	out.Elsewise = !alike(control, *r.Verdict)
	if out.Elsewise && r.Text != "" {
		// The Text of such a record says only that and by how much it was shortened.
		return Replayed{}, errors.New("too much of the record was left out when it was written")
	}
	out.Area = areaOf(*r.Assessment, *r.Facts)
	out.Before = Answer{Verdict: *r.Verdict, Ending: ending(out.Area, *r.Policy, *r.Verdict, *r.Assessment, *r.Facts)}
	facts := spentToo(out.Area, *r.Facts, begun)
	v := gate.Decide(p, *r.Assessment, facts)
	out.After = Answer{Verdict: v, Ending: ending(out.Area, p, v, *r.Assessment, facts)}
	return out, nil
}

// Same reports whether the decision and its reasons, but for their wording, are as recorded.
func (r Replayed) Same() bool { return alike(r.Before.Verdict, r.After.Verdict) }

// Reworded reports whether a reason has other words than recorded although it is the same.
func (r Replayed) Reworded() bool {
	return r.Same() && !slices.Equal(r.Before.Verdict.Reasons, r.After.Verdict.Reasons)
}

// Changes reports whether anything that people would notice differs: what follows, the decision, or the rules that speak. That
// the same rule speaks under a Guardrail of another name is no change.
func (r Replayed) Changes() bool {
	return r.Before.Ending != r.After.Ending || r.Before.Verdict.Decision != r.After.Verdict.Decision ||
		!slices.Equal(spoken(r.Before.Verdict), spoken(r.After.Verdict))
}

// Loosens reports whether more would be done, or let in, than was.
func (r Replayed) Loosens() bool {
	return r.Area != AreaNone && r.After.Ending.freedom() > r.Before.Ending.freedom()
}

// Tightens reports whether less would be done, or let in, than was.
func (r Replayed) Tightens() bool {
	return r.Area != AreaNone && r.After.Ending.freedom() < r.Before.Ending.freedom()
}

// alike compares verdicts by all but the wording of their reasons.
func alike(a, b gate.Verdict) bool {
	return a.Decision == b.Decision && slices.EqualFunc(a.Reasons, b.Reasons, func(x, y gate.Reason) bool {
		return x.Rule == y.Rule && x.Guardrail == y.Guardrail && x.Decision == y.Decision
	})
}

// spoken lists the rules that keep a verdict from being higher, each with its answer, sorted and once.
func spoken(v gate.Verdict) []string {
	rules := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		rules[i] = r.Rule + "/" + r.Decision.String()
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}
