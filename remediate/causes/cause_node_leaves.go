package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet says that its machine is shutting down. That is on purpose as a rule (an upgrade, a spot machine that is taken
// back), and becomes a fault only where the node stays: so it is told, and hardly counts. A machine that is off without having said so
// is silent.
var nodeLeaves = Cause{
	Doc: gate.Doc{ID: "node-shutting-down", Since: "v0.2", Title: "A node is shutting down",
		Text: "The kubelet says that its machine shuts down, and the node is still there."},
	Symptoms: []Symptom{NodeUnwell}, Points: 15, Sure: byMessage,
	explainsObject: means("Ready", toldNodeShutdown),
	tell: func(w World, _ Explained) string {
		return sentence("node %s has been shutting down since %s, and is still there", w.Root.Name, w.sinceSaid("Ready"))
	},
}
