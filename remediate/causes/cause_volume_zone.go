package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a bound volume can be reached from some nodes only, by its own node affinity: most often those of one zone, or the one node
// that has the disk. Where none of these suits the pod or takes pods now, the pod waits. It is told apart from a claim that is not bound
// (claim-unbound), which has no zone yet, and from nodes of the zone that are merely full (insufficient-cpu): the question is asked first.
//
// The volume does not move. A node in its zone cures it, or a volume elsewhere, which is for people to weigh.
var volumeZone = kept(Cause{
	Doc: gate.Doc{ID: "volume-zone", Since: "v0.1", Title: "Its volume is where no node is open to it",
		Text: "The pod's volume is bound, and can be reached from none of the nodes that suit the pod and take pods now."},
	Points: 25, Sure: 90,
}, fit.VolumeZone)
