package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a pod that asks for more than any node that suits can allocate, even with nothing else on it, waits forever. It looks like full
// nodes (insufficient-cpu and its like), where an empty node would do and one more node of the kind is a cure; here it is not. What
// DaemonSets take of an empty node is left out: so this is said only where it is certain.
//
// Going back is a cure where the revision before asked for less.
var podTooLarge = kept(Cause{
	Doc: gate.Doc{ID: "pod-too-large", Since: "v0.1", Title: "Even an empty node could not hold the pod",
		Text: "The pod asks for more of something than the largest node that suits it can allocate, so that waiting and more nodes of the same kind are no help."},
	Points: 25, Sure: 95, Reversible: true,
}, fit.TooLarge)
