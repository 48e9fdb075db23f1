package causes

import "moorgate.dev/internal/gate"

// The law: pods that are deleted have a time to end, and a StatefulSet makes no other of the name before one is gone. Pods well past
// that time hold it up: their node does not answer, or a finalizer that nobody takes off. A pod that uses the time that it has, however
// long, is not meant. It looks like a bad revision where the new pods are few; those are ready here, or not made yet.
//
// Nothing about the revision is wrong: going back waits for the same pods.
var oldPodsLinger = Cause{
	Doc: gate.Doc{ID: "old-pods-linger", Since: "v0.1", Title: "Old pods do not go",
		Text: "A rollout waits for pods that were told to end and have not, long past the time that they had: most often on a node that does not answer, or for a finalizer."},
	Symptoms: []Symptom{RolloutStuck}, Points: 20, Sure: 90, cites: []string{EvidenceRollout},
	explainsObject: func(w World, _ Object) bool { r := w.Rollout; return r != nil && r.Lingering > 0 },
	tell: func(w World, _ Explained) string {
		return sentence("%s makes no progress: %s past the time to end, one on node %s", crowd(w, 1), plural(w.Rollout.Lingering, "pod"), w.Rollout.LingersOn)
	},
}
