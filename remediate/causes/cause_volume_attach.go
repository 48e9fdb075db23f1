package causes

import "moorgate.dev/internal/gate"

// The law: a volume is attached to a node before the pod begins, and the attachment to the pod's own node carries an error. What the driver
// says of it is a stranger's word and not repeated. It is told apart from a volume that another node has (volume-attached-elsewhere),
// where the attachment in question is the other's.
//
// On another node it may do better.
var volumeAttachFails = Cause{
	Doc: gate.Doc{ID: "volume-attach-fails", Since: "v0.1", Title: "Its volume cannot be attached",
		Text: "The attachment of a volume of the pod to its node says that it failed."},
	Symptoms: []Symptom{NotStarting}, Points: 20, Sure: 90, Replaceable: true, cites: []string{EvidenceVolumes},
	explains: func(w World, p Pod) bool {
		return w.Starts[p.Ref.UID].Unattached
	},
	tell: func(w World, e Explained) string {
		s := w.Starts[e.Pods[0].Ref.UID]
		return sentence("%s cannot begin: volume %s cannot be attached to its node", crowd(w, e.Count()), s.Volume)
	},
}
