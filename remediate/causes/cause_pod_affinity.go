package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a required affinity lets a pod go only where pods are that it picks. Where there are none, or only where there is no room, it
// waits. The first pod of a kind that picks itself is let go anywhere. It is told apart from anti-affinity, which is the opposite and is
// asked for before.
//
// Going back is a cure where the revision before did without.
var podAffinity = kept(Cause{
	Doc: gate.Doc{ID: "pod-affinity", Since: "v0.1", Title: "The pods that it has to be beside are not there",
		Text: "No node with room is in the same domain as the pods that the pod's required affinity asks for."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.Affinity)
