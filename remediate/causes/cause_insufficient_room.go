package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a node takes a number of pods and no more, and has a number of devices and so much disk. Where none that suits has a slot, or
// enough left of what the pod asks for besides CPU and memory, it waits. A device that no node has at all is pod-too-large.
//
// Nothing about the workload itself is wrong: it takes room, by a node more or a pod less.
var insufficientRoom = kept(Cause{
	Doc: gate.Doc{ID: "insufficient-room", Since: "v0.1", Title: "No node has a slot, a device or disk left",
		Text: "Nodes suit the pod, and none has a free slot for another pod, or enough left of another resource that it asks for, such as a device."},
	Points: 20, Sure: 90,
}, fit.OtherRoom)
