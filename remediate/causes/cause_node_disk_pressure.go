package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet says that its disk runs full (DiskPressure is True). It evicts pods, throws images away that it needs again, and
// takes no new pods; a runtime that stops answering at the same time does so for want of room, so this comes first. Who fills the disk
// the node does not say: logs, images, or volumes of pods without a limit.
var nodeDiskFull = Cause{
	Doc: gate.Doc{ID: "node-disk-pressure", Since: "v0.2", Title: "A node's disk runs full",
		Text: "The kubelet says that its disk runs full (DiskPressure): it evicts pods and takes no new ones."},
	Symptoms: []Symptom{NodeUnwell}, Points: 20, Sure: 95,
	explainsObject: states("DiskPressure", "True"),
	tell: func(w World, _ Explained) string {
		return sentence("the disk of node %s has been running full since %s (DiskPressure)", w.Root.Name, w.sinceSaid("DiskPressure"))
	},
}
