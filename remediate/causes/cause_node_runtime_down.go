package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet lives and says that its container runtime does not answer (Ready is False, and its message begins with one of the
// few words that it has for that). Containers that run go on; none is started or stopped. Where the network plugin is not ready either,
// the runtime is named first, and is why. A full disk often stands behind it, and comes before it where the node says so.
var nodeRuntimeDown = Cause{
	Doc: gate.Doc{ID: "node-runtime-down", Since: "v0.2", Title: "A node's container runtime does not answer",
		Text: "The kubelet says that its container runtime is down or not healthy: no container is started or stopped there."},
	Symptoms: []Symptom{NodeUnwell}, Points: 25, Sure: byMessage,
	explainsObject: means("Ready", toldNodeRuntime),
	tell: func(w World, _ Explained) string {
		return sentence("the container runtime of node %s has not answered its kubelet since %s", w.Root.Name, w.sinceSaid("Ready"))
	},
}
