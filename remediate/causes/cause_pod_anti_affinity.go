package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a required anti-affinity keeps a pod out of the domain (node, zone) of each pod that it picks, and a neighbour's keeps it out in
// the same way. Where every domain with room has one, as for four replicas on three nodes, the pod waits. Preferred rules keep nobody
// off. It looks like a hard topology spread (topology-spread), which counts instead of forbidding: the rules are read.
//
// Another pod has the same rule. Going back is a cure where the revision before did without.
var podAntiAffinity = kept(Cause{
	Doc: gate.Doc{ID: "pod-anti-affinity", Since: "v0.1", Title: "It may not be beside pods that are everywhere",
		Text: "On every node that has room, or in its zone, is a pod that the pod's anti-affinity forbids, or that forbids the pod."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.AntiAffinity)
