package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: nodes suit the pod, and none takes pods now: cordoned by somebody, not ready, or under pressure. It is about the nodes and
// passes with them. A taint that somebody chose is node-taint; nodes that are full are insufficient-cpu and its like.
//
// No revision of the workload changes it, nor does another pod.
var nodesClosed = kept(Cause{
	Doc: gate.Doc{ID: "nodes-closed", Since: "v0.1", Title: "The nodes it may go to take no pods now",
		Text: "Every node that suits the pod is cordoned, not ready or under pressure at this moment."},
	Points: 20, Sure: 95,
}, fit.Closed)
