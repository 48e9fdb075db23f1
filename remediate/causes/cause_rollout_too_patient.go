package causes

import "moorgate.dev/internal/gate"

// The law: a pod counts as available once it was ready for minReadySeconds, and a rollout without a newly available pod for
// progressDeadlineSeconds is said to be stuck. Where a pod has to be ready for almost as long as the deadline gives, it is said of a
// rollout that merely takes its time. It is told apart from pods that are not ready: all of the new ones are.
//
// One of the two numbers has to change.
var rolloutTooPatient = Cause{
	Doc: gate.Doc{ID: "ready-time-past-deadline", Since: "v0.1", Title: "Pods have to be ready for longer than the rollout may take",
		Text: "The minReadySeconds of the workload leave its rollout no time before its progressDeadlineSeconds: it is called stuck although its pods are ready."},
	Symptoms: []Symptom{RolloutStuck}, Points: 15, Sure: 90, cites: []string{EvidenceRollout},
	explainsObject: func(w World, _ Object) bool {
		r := w.Rollout
		return r != nil && r.Fresh > 0 && r.FreshReady == r.Fresh && r.WithinAll > 0 && 10*r.MinReady >= 9*r.WithinAll
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s is called stuck after %s, and its pods have to be ready for %s first", crowd(w, 1), w.Rollout.WithinAll, w.Rollout.MinReady)
	},
}
