package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet says that the node runs out of process ids (PIDPressure is True): something on it starts processes and does not
// end them. Who, the node does not say.
var nodePIDsShort = Cause{
	Doc: gate.Doc{ID: "node-pid-pressure", Since: "v0.2", Title: "A node runs out of process ids",
		Text: "The kubelet says that the node runs out of process ids (PIDPressure): something on it starts processes without end."},
	Symptoms: []Symptom{NodeUnwell}, Points: 20, Sure: 95,
	explainsObject: states("PIDPressure", "True"),
	tell: func(w World, _ Explained) string {
		return sentence("node %s has been short of process ids since %s (PIDPressure)", w.Root.Name, w.sinceSaid("PIDPressure"))
	},
}
