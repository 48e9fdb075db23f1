package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a hard spread (DoNotSchedule) lets a pod go only where its kind does not get further ahead of the domain with the fewest than
// maxSkew. Where the domain with the fewest has no room, no other may take it. It is counted, over the nodes that the rule counts. A
// spread that is merely wished for (ScheduleAnyway) keeps nobody off. Anti-affinity looks like it and is asked for before.
//
// Going back is a cure where the revision before did without.
var topologySpread = kept(Cause{
	Doc: gate.Doc{ID: "topology-spread", Since: "v0.1", Title: "Any place left would spread its pods unevenly",
		Text: "On every node with room one more pod would go past the difference that a hard topology spread allows."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.Spread)
