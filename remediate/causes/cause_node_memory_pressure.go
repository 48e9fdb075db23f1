package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet says that the node's memory runs short (MemoryPressure is True). It evicts pods that use more than they asked for.
// That is not a container that runs out of its own limit (out-of-memory): there the node has memory left.
var nodeMemoryShort = Cause{
	Doc: gate.Doc{ID: "node-memory-pressure", Since: "v0.2", Title: "A node's memory runs short",
		Text: "The kubelet says that the node's memory runs short (MemoryPressure): it evicts pods that use more than they asked for."},
	Symptoms: []Symptom{NodeUnwell}, Points: 20, Sure: 95,
	explainsObject: states("MemoryPressure", "True"),
	tell: func(w World, _ Explained) string {
		return sentence("the memory of node %s has been short since %s (MemoryPressure)", w.Root.Name, w.sinceSaid("MemoryPressure"))
	},
}
