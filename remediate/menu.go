package remediate

import (
	"fmt"
	"slices"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// menu is all that may be done about a happening. Code writes it from what is known; what is not known is not offered.
//
//   - evict, where another pod may do better: some pods of the revision are well, a controller makes another, and the
//     cause allows for it. Where every pod fails, so would the next.
//   - roll-back, of a Deployment where the revision before is known to work because pods of it are available; pull-request instead, with
//     the same edits, where Git or Helm owns the manifest and would undo anything else. Neither, where nobody can say.
//   - escalate and nothing, always.
//
// Of several pods that might be evicted the one is offered of which the plan has the given digest, if any.
func menu(w causes.World, c causes.Cause, plan string) []gate.Action {
	var m []gate.Action
	if a, ok := evict(w, c, plan); ok {
		m = append(m, a)
	}
	if a, ok := goBack(w); ok {
		m = append(m, a)
	}
	return append(m, harmless(w)...)
}

// harmless is what may be done about anything: it touches nothing.
func harmless(w causes.World) []gate.Action {
	return []gate.Action{
		{ID: causes.Escalate, Verb: "escalate", Reach: gate.ReachNothing, Target: w.Root, Workload: w.Root, Text: "tell the people who own the workload"},
		{ID: causes.Nothing, Verb: "nothing", Reach: gate.ReachNothing, Target: w.Root, Workload: w.Root, Text: "leave it as it is"}}
}

// evict offers to replace a failing pod: one, never several at a time. It is the one that the plan is for, or else the first.
func evict(w causes.World, c causes.Cause, plan string) (gate.Action, bool) {
	whole, known := w.Whole().Get()
	if !c.Replaceable || !known || whole || w.Spared() == 0 {
		return gate.Action{}, false
	}
	var offer gate.Action
	for _, p := range w.Failing() {
		if p.Controller != "ReplicaSet" && p.Controller != "StatefulSet" {
			continue // nobody makes another, or on the same node
		}
		a := eviction(w, p)
		if a.PlanDigest() == plan {
			return a, true
		}
		if offer.ID == "" {
			offer = a
		}
	}
	return offer, offer.ID != ""
}

func eviction(w causes.World, p causes.Pod) gate.Action {
	return gate.Action{ID: causes.Evict, Verb: cluster.VerbEvict, Reach: gate.ReachLive, Target: p.Ref, Workload: w.Root,
		Text: fmt.Sprintf("evict pod %s, so that its %s makes another; %d of its %d siblings are well", p.Ref.Name, p.Controller,
			w.Spared(), len(w.Pods)-1),
		Undo: fmt.Sprintf("nothing has to be: its %s makes another pod of the same revision", p.Controller)}
}

// stands is whether a plan may still come to something: it is on the menu, or would be if the pod that it is for, which runs
// between two crashes or for good, failed now. No plan at all stands too.
func stands(plan string, w causes.World, menu []gate.Action) bool {
	return plan == "" || slices.ContainsFunc(menu, func(a gate.Action) bool { return a.PlanDigest() == plan }) ||
		slices.ContainsFunc(w.Pods, func(p causes.Pod) bool { return p.State == causes.Unsure && eviction(w, p).PlanDigest() == plan })
}

// ownerOf is who else writes the workload. Nothing here sets a size, so what scales it is not looked for; an eviction changes no field
// at all, so where nothing else can be done what sizes it is not looked for either, and who owns it is not known as a whole.
func ownerOf(w causes.World) gate.Fact[gate.Owner] {
	source, known := w.Source.Get()
	if !known {
		return gate.Unknown[gate.Owner](w.Source.Why())
	}
	sizer, known := w.Sizer.Get()
	if !known {
		return gate.Unknown[gate.Owner](w.Sizer.Why())
	}
	return gate.Known(gate.Owner{Source: source, Sizer: sizer})
}

func goBack(w causes.World) (gate.Action, bool) {
	earlier, known := w.Earlier.Get()
	source, owned := w.Source.Get()
	if !known || !owned || earlier == nil || earlier.Available == 0 || len(earlier.Edits) == 0 {
		return gate.Action{}, false
	}
	why := fmt.Sprintf("%d pods of which are still available", earlier.Available)
	if source != "" {
		return gate.Action{ID: causes.PullRequest, Verb: "pull-request", Reach: gate.ReachGit, Target: w.Root, Workload: w.Root, Edits: earlier.Edits, Undo: "close the pull request, or revert it",
			Text: fmt.Sprintf("propose in Git to go back to revision %d, %s: %s owns the manifest", earlier.Number, why, source)}, true
	}
	return gate.Action{ID: causes.RollBack, Verb: cluster.VerbRollBack, Reach: gate.ReachLive, Target: w.Root, Workload: w.Root, Edits: earlier.Edits, Undo: fmt.Sprintf("kubectl rollout undo to revision %d", earlier.Failing),
		Text: fmt.Sprintf("go back to revision %d, %s", earlier.Number, why)}, true
}
