package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a pod that asks for nodes of some kind, by label or by name, waits where there are none of them. It is proved by comparing
// with every node. It looks like nodes that keep the pod off by a taint (node-taint): there the labels are met. A pool that an autoscaler
// scaled to nothing shows no node either; that passes once it made one, so the symptom has to last.
//
// Another pod asks for the same. Going back is a cure where the revision before asked for less.
var nodeSelector = kept(Cause{
	Doc: gate.Doc{ID: "node-selector", Since: "v0.1", Title: "No node is what the pod asks for",
		Text: "No node has the labels, or the name, that the pod's nodeSelector or required node affinity asks for."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.Selector)
