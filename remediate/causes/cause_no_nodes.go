package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: where there is no node, no pod finds one, whatever it asks for. It could be mistaken for a judge that may not list nodes:
// that one knows nothing of nodes, which is not the same, and names no cause. It is told apart from nodes that are all cordoned or not
// ready (nodes-closed): those are there.
//
// Nothing about the workload cures it. People, or what makes nodes for them, have to.
var noNodes = kept(Cause{
	Doc: gate.Doc{ID: "no-nodes", Since: "v0.1", Title: "The cluster has no nodes",
		Text: "The cluster shows no node at all, so no pod can be placed. An autoscaler that begins at nothing shows none either, until it has made one."},
	Points: 25, Sure: 95,
}, fit.NoNodes)
