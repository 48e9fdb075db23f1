package cluster

import (
	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// The bounds of what a Case holds, as in its schema: whatever is found, a Case stays under 64 KiB. Lengths are in bytes. The
// audit log has the whole.
const (
	maxListed  = 12 // reasons, findings, and things unread
	maxMenu    = 8
	maxEdits   = 8 // of one item on the menu
	maxText    = 256
	maxPath    = 200
	maxValue   = 160
	maxSummary = 110 // so that a listing fits a screen; the findings hold more
)

// Opinion is a judgement as a Case holds it, within the bounds of the Case's schema.
func Opinion(j flow.Judgement) v1alpha1.Opinion {
	o := v1alpha1.Opinion{Decision: j.Verdict.Decision.String(), Cause: gate.OneLine(j.Assessment.Cause, 64), Alone: gate.OneLine(j.Assessment.Alone, maxValue),
		Score: number(j.Assessment.Score), Confidence: number(j.Assessment.Confidence)}
	for _, r := range first(j.Verdict.Reasons, maxListed) {
		o.Reasons = append(o.Reasons, v1alpha1.Reason{Rule: gate.OneLine(r.Rule, 64), Guardrail: gate.OneLine(r.Guardrail, 253),
			Decision: r.Decision.String(), Text: gate.OneLine(r.Text, maxText)})
	}
	for _, f := range first(gate.Weightiest(j.Assessment.Findings), maxListed) {
		o.Findings = append(o.Findings, v1alpha1.Finding{ID: gate.OneLine(f.ID, 64), Text: gate.OneLine(f.Text, maxText), Points: int32(min(max(f.Points, -100), 100)),
			Hard: f.Hard, Nature: string(f.Nature)})
	}
	for _, u := range first(j.Question.Facts.Unread, maxListed) {
		o.Unread = append(o.Unread, gate.OneLine(u, maxValue))
	}
	return o
}

// Assessment is what a Case tells of an advisor's opinion, as far as it holds it.
func Assessment(o v1alpha1.Opinion) gate.Assessment {
	a := gate.Assessment{Advisor: "checks", Cause: o.Cause, Alone: o.Alone, Score: fact(o.Score), Confidence: fact(o.Confidence), Agreement: gate.Known(100)}
	for _, f := range o.Findings {
		a.Findings = append(a.Findings, gate.Finding{ID: f.ID, Text: f.Text, Points: int(f.Points), Hard: f.Hard, Nature: gate.Nature(f.Nature)})
	}
	return a
}

func fact(n *int32) gate.Fact[int] {
	if n == nil {
		return gate.Unknown[int]("it could not be said")
	}
	return gate.Known(int(*n))
}

// Summary is the one sentence that tells most about an opinion: the weightiest finding, else the most careful reason.
func Summary(o v1alpha1.Opinion) string {
	if len(o.Findings) > 0 {
		return gate.OneLine(o.Findings[0].Text, maxSummary)
	}
	for _, r := range o.Reasons {
		if r.Decision == o.Decision {
			return gate.OneLine(r.Text, maxSummary)
		}
	}
	return "nothing was found wrong"
}

func menu(actions []gate.Action) []v1alpha1.Choice {
	var choices []v1alpha1.Choice
	for _, a := range first(actions, maxMenu) {
		c := v1alpha1.Choice{ID: gate.OneLine(a.ID, 64), Verb: gate.OneLine(a.Verb, 64), Reach: a.Reach.String(), Text: gate.OneLine(a.Text, maxText), Digest: a.PlanDigest()}
		for _, e := range first(a.Edits, maxEdits) {
			c.Edits = append(c.Edits, v1alpha1.Edit{Path: gate.OneLine(e.Path, maxPath), Old: gate.OneLine(e.Old, maxValue), New: gate.OneLine(e.New, maxValue)})
		}
		choices = append(choices, c)
	}
	return choices
}

func number(n gate.Fact[int]) *int32 {
	v, known := n.Get()
	if !known {
		return nil
	}
	i := int32(v)
	return &i
}

func first[T any](s []T, n int) []T { return s[:min(len(s), n)] }
