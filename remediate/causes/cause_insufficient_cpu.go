package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: what a node has left is what it can allocate less what the pods on it ask for, whether they use it or not. Where none that suits
// has as much CPU left as the pod asks for, it waits. An empty node would do; where not even that would, it is pod-too-large. Nodes that
// are kept from the pod by taints or labels are not counted as full: they were out of the question before, and are told as such.
//
// Nothing about the workload itself is wrong: it takes room, by a node more or a pod less.
var insufficientCPU = kept(Cause{
	Doc: gate.Doc{ID: "insufficient-cpu", Since: "v0.1", Title: "No node has so much CPU left",
		Text: "Nodes suit the pod and could hold it, and none has as much CPU free as the pod asks for."},
	Points: 20, Sure: 95,
}, fit.CPU)
