package gate

import "time"

// What holds the delivery of one object, and what lets it go again.
const (
	VerbHold    = "hold-delivery"
	VerbRelease = "release-delivery"
)

// HoldPath and HoldValue are the one annotation by which Flux is told to leave one object alone, as an Edit has it.
const (
	HoldPath  = "metadata.annotations[kustomize.toolkit.fluxcd.io/reconcile]"
	HoldValue = `"disabled"`
)

// Holding is the Action that holds the delivery of an object. It is undone whatever becomes of it, for nothing is held for ever.
func Holding(r Ref) Action {
	return Action{ID: "hold", Verb: VerbHold, Reach: ReachLive, Target: r, Edits: []Edit{{Path: HoldPath, New: HoldValue}},
		Undo: "the annotation is taken away when people have decided, and at the latest after drift.holdFor"}
}

// Releasing is the Action that takes the hold of an object away.
func Releasing(r Ref) Action {
	return Action{ID: "release", Verb: VerbRelease, Reach: ReachRestore, Target: r, Edits: []Edit{{Path: HoldPath, Old: HoldValue}},
		Text: "let it be delivered again", Undo: "hold it again"}
}

// holds is whether an action does nothing but hold the delivery of its target.
func (a Action) holds() bool {
	return a.Verb == VerbHold && len(a.Edits) == 1 && a.Edits[0] == Edit{Path: HoldPath, New: HoldValue} && a.Base == ""
}

// HoldFor is for how long the delivery of an object may be held at most, as the most careful Guardrail says; 0: not at all.
func (p Policy) HoldFor() time.Duration {
	if len(p.Rails) == 0 {
		return 0
	}
	least := HoldMost
	for _, r := range p.Rails {
		least = min(least, r.Drift.HoldFor)
	}
	return max(0, least)
}

// HoldMost is the longest that anything is held, compiled in.
const HoldMost = 24 * time.Hour
