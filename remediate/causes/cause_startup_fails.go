package causes

import "moorgate.dev/internal/gate"

// The law: a startup probe gives a program so many attempts at so many seconds, and the kubelet restarts it after that. It has run past them,
// or just about, and has not started. It is told apart from one that still has time (slow-start) by the two times. One that is restarted
// for it again and again shows that as a crash loop instead.
//
// Another pod has the same time. Going back is a cure where the revision before was quicker, and is known to work.
var startupFails = Cause{
	Doc: gate.Doc{ID: "startup-probe-fails", Since: "v0.1", Title: "The startup probe does not pass",
		Text: "The container has run for longer than its startup probe gives it, and that has not passed: it is about to be killed, or was."},
	Symptoms: []Symptom{NotReady}, Points: 20, Sure: 75, Reversible: true, cites: []string{EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		r, known := w.Readiness[p.Ref.UID]
		return known && !r.Started && r.Allowed > 0 && r.Running >= r.Allowed
	},
	tell: func(w World, e Explained) string {
		r := w.Readiness[e.Pods[0].Ref.UID]
		return sentence("container %s has not started in %s: it ran for %s, and its startup probe gives it %s", w.Container, crowd(w, e.Count()), r.Running, r.Allowed)
	},
}
