package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: nodes that the pod asks for are there, and each has a taint, of NoSchedule or NoExecute, that the pod does not tolerate. The
// taints by which the cluster marks how a node fares are not meant: a node that is not ready or cordoned is nodes-closed. Nodes without
// the label that the pod asks for are node-selector: a pod meant for a dedicated pool that tolerates its taint and misspells its label.
//
// Another pod bears the same taints. Going back is a cure where the revision before tolerated them.
var nodeTaint = kept(Cause{
	Doc: gate.Doc{ID: "node-taint", Since: "v0.1", Title: "The nodes it may go to have taints",
		Text: "Every node that the pod asks for has a taint that the pod does not tolerate, such as one of a dedicated pool."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.Taint)
