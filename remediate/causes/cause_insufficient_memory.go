package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: as for the CPU (insufficient-cpu), of memory. Where nodes lack different things, it is told of what most of them lack. Memory
// that is asked for counts, not memory that is used: a node that looks idle may have none left to give.
//
// Nothing about the workload itself is wrong: it takes room, by a node more or a pod less.
var insufficientMemory = kept(Cause{
	Doc: gate.Doc{ID: "insufficient-memory", Since: "v0.1", Title: "No node has so much memory left",
		Text: "Nodes suit the pod and could hold it, and none has as much memory free as the pod asks for."},
	Points: 20, Sure: 95,
}, fit.Memory)
