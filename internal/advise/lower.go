package advise

import (
	"cmp"
	"slices"

	"moorgate.dev/internal/gate"
)

// The law: of two opinions the more careful one counts, number by number. The score, the confidence and the agreement are the lower
// ones; what was found is everything that was found. The cause is the first advisor's, unless that knows none. So is the choice,
// unless it made none or its cause is one that no rule knows; where both chose, the one that reaches less far. Where the second would
// do nothing, people are told.
//
// Who finds nothing, chooses nothing else and gives no lower score has added nothing, and takes nothing away: that a model sees nothing
// against a rollout is no reason to be less sure of it.
//
// What the score loses by the second opinion beyond what its findings say becomes a finding of its own, so that the guardrail can
// tell what a model took from a rollout from what a check did.

// modelScore is the finding that carries what a model's score takes away beyond its findings.
const modelScore = "model-score"

// Lower is the more careful of an opinion of code and one of a model on the same question.
func Lower(checks, model gate.Assessment, menu []gate.Action) gate.Assessment {
	if model.Silent != "" {
		checks.Alone = cmp.Or(checks.Alone, model.Silent)
		return checks
	}
	out := checks
	out.Advisor = checks.Advisor + "+" + model.Advisor
	if addsNothing(checks, model) {
		return out
	}
	out.Findings = append(slices.Clone(checks.Findings), model.Findings...)
	out.Ungrounded, out.Escalated = model.Ungrounded, model.Escalated
	out.Cause = cmp.Or(checks.Cause, model.Cause)
	open := checks.Silent != "" || len(checks.Choice) == 0 || checks.Cause == gate.CauseOther
	out.Choice = moreCareful(checks.Choice, model.Choice, menu, open)
	out.Elected = open && len(out.Choice) > 0 && !slices.Equal(out.Choice, checks.Choice)
	if checks.Silent != "" && len(out.Choice) > 0 {
		out.Silent = ""
	}
	out.Score = least(checks.Score, model.Score, checks.Silent != "")
	out.Confidence = least(checks.Confidence, model.Confidence, checks.Silent != "")
	out.Agreement = least(checks.Agreement, model.Agreement, checks.Silent != "")
	if rest := unexplained(checks, model, out); rest > 0 {
		out.Findings = append(out.Findings, gate.Finding{ID: modelScore, Text: "the model gives a lower score than its findings explain", Points: rest, Nature: gate.Advised})
	}
	return out
}

// addsNothing is whether a second opinion is the first one over again.
func addsNothing(checks, model gate.Assessment) bool {
	before, knows := checks.Score.Get()
	after, says := model.Score.Get()
	return checks.Silent == "" && len(model.Findings) == 0 && model.Ungrounded == 0 && knows && says && after >= before &&
		(len(model.Choice) == 0 || len(checks.Choice) > 0 && model.Choice[0] == checks.Choice[0])
}

// moreCareful is the choice that counts. A model's has one step: what comes after it is decided when it is done.
func moreCareful(checks, model []string, menu []gate.Action, open bool) []string {
	if len(model) == 0 {
		return checks
	}
	step := aloud(model[0], menu)
	if open || len(checks) == 0 || reach(step, menu) > reach(checks[0], menu) {
		return []string{step}
	}
	return checks
}

// aloud is a step that somebody hears of: who would rather do nothing tells people, where that is offered. Else a text that steers a
// model could have a happening pass in silence.
func aloud(id string, menu []gate.Action) string {
	if reach(id, menu) < gate.ReachNothing {
		return id
	}
	for _, a := range menu {
		if a.Verb == "escalate" {
			return a.ID
		}
	}
	return id
}

// reach is how far an item of the menu reaches; one that is not there is the furthest.
func reach(id string, menu []gate.Action) gate.Reach {
	for _, a := range menu {
		if a.ID == id {
			return a.Reach
		}
	}
	return gate.ReachLive
}

// least is the lower of two numbers. What is not known is lower than any, unless the first advisor had nothing to say.
func least(checks, model gate.Fact[int], silent bool) gate.Fact[int] {
	a, knowsA := checks.Get()
	b, knowsB := model.Get()
	switch {
	case knowsA && knowsB:
		return gate.Known(min(a, b))
	case silent && !knowsA:
		return model
	case !knowsA:
		return checks
	}
	return model
}

// unexplained is how many points the score lost by the model beyond those of its findings.
func unexplained(checks, model, out gate.Assessment) int {
	before, knows := checks.Score.Get()
	after, known := out.Score.Get()
	if !knows || !known {
		return 0
	}
	rest := before - after
	for _, f := range model.Findings {
		rest -= f.Points
	}
	return rest
}
