package causes

import "moorgate.dev/internal/gate"

// The law: the node's network for pods does not work. Either its kubelet says so (Ready is False, and its message begins with the words
// that it has for a network plugin that is not ready), or whoever makes the cloud's routes does (NetworkUnavailable is True). What the
// plugin itself says comes after these words, and is not read. A node that cannot be reached at all is silent, and says nothing.
var nodeNetworkDown = Cause{
	Doc: gate.Doc{ID: "node-network-down", Since: "v0.2", Title: "A node has no network for pods",
		Text: "The network plugin of a node is not ready, or its routes are not made: pods on it do not begin."},
	Symptoms: []Symptom{NodeUnwell}, Points: 25, Sure: byMessage,
	explainsObject: func(w World, o Object) bool {
		return means("Ready", toldNodeNetwork)(w, o) || states("NetworkUnavailable", "True")(w, o)
	},
	tell: func(w World, _ Explained) string {
		return sentence("the network for pods on node %s is not ready, since %s", w.Root.Name, w.sinceSaid("Ready"))
	},
}
