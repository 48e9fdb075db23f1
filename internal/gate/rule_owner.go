package gate

import (
	"fmt"
	"slices"
)

// The law: what somebody else keeps writing is changed through them or not at all. A live change to what Git or Helm owns
// would be undone, and that is a second rollout; it goes by pull request. What holds the delivery of an object says so to who delivers
// it, by the one annotation that it reads for that, and by no other edit. The replicas of what an autoscaler scales and the
// resources of what an autoscaler sizes are never set. An eviction changes no manifest, so it has no owner to ask.
var ownerRule = rule{
	doc: Doc{ID: "owner", Since: "v0.2", Severity: Deny, Title: "Whose it is",
		Text: "Replicas that an autoscaler sets and resources that a VerticalPodAutoscaler sets are never changed. What Git or Helm owns is changed by pull request only, live by nothing but an eviction, and the annotation that holds its delivery. Who owns it must be known."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		return m.each(ReachGit, func(x *chosen) (Decision, string) {
			if x.Verb == "evict" && len(x.Edits) == 0 {
				return Allow, ""
			}
			owner, known := m.Owner.Get()
			switch {
			case !known:
				return Hold, fmt.Sprintf("who owns %s is not known: %s", x.Target, m.Owner.Why())
			case owner.Scaler != "" && x.sets("replicas"):
				return Deny, fmt.Sprintf("%s sets the replicas of %s", owner.Scaler, x.Target)
			case owner.Sizer != "" && x.sets("resources"):
				return Deny, fmt.Sprintf("%s sets the resources of %s", owner.Sizer, x.Target)
			case owner.Source != "" && x.reach() == ReachLive && !x.holds():
				return Hold, fmt.Sprintf("%s owns %s and would undo a live change: it takes a pull request", owner.Source, x.Target)
			}
			return Allow, ""
		})
	},
}

// sets is whether an action sets a field of this name, as one of its edits or as part of one.
func (a Action) sets(field string) bool {
	return slices.ContainsFunc(a.Edits, func(e Edit) bool { return e.sets(field) })
}
