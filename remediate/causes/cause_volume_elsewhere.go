package causes

import "moorgate.dev/internal/gate"

// The law: a volume with ReadWriteOnce, or ReadWriteOncePod, goes to one node at a time, and its attachment says that another has it: most often
// the node of a pod that ended badly, or of an earlier pod of a Deployment that rolls out with both at once. It is proved by the
// attachment, and that it says attached. Volumes that many nodes may have are not meant. An attachment that failed is
// volume-attach-fails.
//
// It comes free once the other pod is gone for certain, which is for people to say where its node does not answer.
var volumeElsewhere = Cause{
	Doc: gate.Doc{ID: "volume-attached-elsewhere", Since: "v0.1", Title: "Its volume is attached to another node",
		Text: "A volume that one node at a time may have is attached to another node than the one of the pod."},
	Symptoms: []Symptom{NotStarting}, Points: 20, Sure: 95, cites: []string{EvidenceVolumes},
	explains: func(w World, p Pod) bool {
		return w.Starts[p.Ref.UID].Elsewhere != ""
	},
	tell: func(w World, e Explained) string {
		s := w.Starts[e.Pods[0].Ref.UID]
		return sentence("%s cannot begin: node %s has its volume %s", crowd(w, e.Count()), s.Elsewhere, s.Volume)
	},
}
