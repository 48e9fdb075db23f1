package remediate

import (
	"slices"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: where a rule knows the cause, it chooses. Where none does, what stands on the Case as chosen, by a model, may be done if
// it is on the menu that code writes now; nothing else of the Case is believed, and no word of the model. What speaks for it is
// what code finds, which is little: so a human has to approve it. What was tried for causes that no rule knows, and healed often
// enough to be sure of, speaks for itself: it takes the doubts away in that measure, and gives the confidence that it has earned.

// elected is the opinion of code with the choice that a plan stands for, where its cause is one that no rule knows and the plan is
// a live action on the menu.
func elected(a gate.Assessment, f gate.Facts, plan string) gate.Assessment {
	if a.Cause != gate.CauseOther || plan == "" {
		return a
	}
	i := slices.IndexFunc(f.Menu, func(m gate.Action) bool { return m.Reach == gate.ReachLive && m.PlanDigest() == plan })
	if i < 0 {
		return a
	}
	chosen := f.Menu[i]
	a.Choice, a.Elected = []string{chosen.ID}, true
	sure := earned(f.History, chosen.Verb)
	score := 100
	a.Findings = slices.Clone(a.Findings)
	for j := range a.Findings {
		x := &a.Findings[j]
		if x.ID == causes.Escalate {
			x.ID, x.Text = chosen.ID, "no rule chose this: a model did, from the menu"
		}
		x.Points = (x.Points*(100-sure) + 99) / 100
		score -= x.Points
	}
	a.Score = gate.Known(max(0, score))
	if says, known := a.Confidence.Get(); known {
		a.Confidence = gate.Known(max(says, sure))
	}
	return a
}

// earned is how sure we are of a verb for causes that no rule knows, from what healed before.
func earned(history gate.Fact[gate.Tally], verb string) int {
	t, known := history.Get()
	if !known || t.Cause != gate.CauseOther || t.Verb != verb {
		return 0
	}
	return gate.Sure(t.Healed, t.Tried)
}
