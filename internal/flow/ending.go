package flow

import (
	"fmt"
	"slices"

	"moorgate.dev/internal/gate"
)

// Area is what a decision was about, by how far the choice reaches.
type Area string

// The areas, furthest reach first.
const (
	AreaLive    Area = "live action"
	AreaGit     Area = "pull request"
	AreaMark    Area = "annotation"
	AreaRollout Area = "rollout"
	AreaNone    Area = "nothing to do" // nothing was chosen, or only to tell somebody
)

// Areas lists every area, furthest reach first.
func Areas() []Area { return []Area{AreaLive, AreaGit, AreaMark, AreaRollout, AreaNone} }

var areaOfReach = map[gate.Reach]Area{gate.ReachLive: AreaLive, gate.ReachGit: AreaGit, gate.ReachRestore: AreaMark, gate.ReachMark: AreaMark,
	gate.ReachAnswer: AreaRollout, gate.ReachNothing: AreaNone}

// Ending is what follows from a verdict for those who wait for it.
type Ending string

// The endings, most careful first.
const (
	Denied       Ending = "denied"
	Refused      Ending = "refused" // of a rollout: the API server is told no
	Held         Ending = "held"
	OnceApproved Ending = "done once approved" // held, and an approval is all that it lacks
	Warned       Ending = "let in with a warning"
	LetIn        Ending = "let in"
	Done         Ending = "done without asking"
)

// Endings lists every ending, most careful first.
func Endings() []Ending {
	return []Ending{Denied, Refused, Held, OnceApproved, Warned, LetIn, Done}
}

// freedom orders endings by how much is done without a human.
func (e Ending) freedom() int {
	switch e {
	case OnceApproved:
		return 1
	case Warned, LetIn, Done:
		return 2
	}
	return 0
}

// areaOf is the area of the furthest that was chosen. A choice that is not on the menu reaches as far as can be.
func areaOf(a gate.Assessment, f gate.Facts) Area {
	reach := gate.ReachNothing
	for _, id := range a.Choice {
		reach = min(reach, onMenu(f, id).Reach)
	}
	return areaOfReach[reach]
}

// onMenu is the action with that id; the zero Action, which reaches furthest, if there is none.
func onMenu(f gate.Facts, id string) gate.Action {
	i := slices.IndexFunc(f.Menu, func(m gate.Action) bool { return m.ID == id })
	if i < 0 {
		return gate.Action{}
	}
	return f.Menu[i]
}

// ending is what follows from a verdict on a question under a policy.
func ending(area Area, p gate.Policy, v gate.Verdict, a gate.Assessment, f gate.Facts) Ending {
	switch {
	case area == AreaRollout:
		return answered(p, v)
	case v.Decision == gate.Allow:
		return Done
	case v.Decision == gate.Hold && (area == AreaLive || area == AreaGit) && gate.Decide(p, a, approvedByAll(p, a, f)).Decision == gate.Allow:
		return OnceApproved
	case v.Decision == gate.Hold:
		return Held
	}
	return Denied
}

// answered is what a client that asks to let a rollout in is told.
func answered(p gate.Policy, v gate.Verdict) Ending {
	if p.Refuses(v) {
		return Refused
	}
	for _, r := range v.Reasons {
		if p.Tells(r) {
			return Warned
		}
	}
	return LetIn
}

// approvedByAll is the world as it would be had as many people as anybody asks for approved what was chosen, just now. What
// somebody rejected stays rejected.
func approvedByAll(p gate.Policy, a gate.Assessment, f gate.Facts) gate.Facts {
	need := 1
	for _, r := range p.Rails {
		n, _ := r.Approvers.Get()
		need = max(need, n)
	}
	given, _ := f.Approvals.Get()
	given = slices.Clone(given)
	for _, id := range a.Choice {
		plan := onMenu(f, id).PlanDigest()
		for i := range need {
			given = append(given, gate.Approval{Approver: fmt.Sprintf("approver %d", i+1), Plan: plan, At: f.At, Expires: f.At.Add(1)})
		}
	}
	f.Approvals = gate.Known(given)
	return f
}
