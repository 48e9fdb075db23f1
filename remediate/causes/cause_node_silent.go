package causes

import "moorgate.dev/internal/gate"

// The law: Ready of a node is Unknown. The control plane says so of a node whose kubelet has renewed neither its lease nor its status
// for longer than the grace period. Whether the machine is off, the kubelet is dead or the network in between is cut, nobody on this side
// can see, and its pods may go on running. A kubelet that lives and says that something is wrong makes it False, with its reason: that
// is another cause. A node that is cordoned, or that somebody is taking away, is no fault.
var nodeSilent = Cause{
	Doc: gate.Doc{ID: "node-silent", Since: "v0.2", Title: "A node's kubelet has fallen silent",
		Text: "The control plane hears nothing from the node (Ready is Unknown): machine, kubelet or network. Its pods may go on running."},
	Symptoms: []Symptom{NodeUnwell}, Points: 25, Sure: 90,
	explainsObject: states("Ready", "Unknown"),
	tell: func(w World, _ Explained) string {
		return sentence("the kubelet of node %s has been silent since %s: machine, kubelet or network", w.Root.Name, w.sinceSaid("Ready"))
	},
}
