package causes

import "moorgate.dev/internal/gate"

// The law: a program takes its time. Where its startup probe has not passed and still gives it time, or pods of the workload that are ready
// took longer than this one has run, it is starting and not failing. It is told apart from a probe that fails (readiness-probe-fails) by
// those two times alone; once they are over it is that.
//
// Nothing has to be done but wait; a new pod would begin from nothing.
var slowStart = Cause{
	Doc: gate.Doc{ID: "slow-start", Since: "v0.1", Title: "It is still starting",
		Text: "The container has not run for as long as its startup probe gives it, or as others of the workload took to become ready."},
	Symptoms: []Symptom{NotReady}, Points: 15, Sure: 85, cites: []string{EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		r, known := w.Readiness[p.Ref.UID]
		usual, measured := w.Usual.Get()
		return known && (!r.Started && r.Running < r.Allowed || measured && r.Running < usual)
	},
	tell: func(w World, e Explained) string {
		r := w.Readiness[e.Pods[0].Ref.UID]
		usual, measured := w.Usual.Get()
		if measured && usual > r.Allowed {
			return sentence("container %s in %s has run for %s, and others of the workload took up to %s", w.Container, crowd(w, e.Count()), r.Running, usual)
		}
		return sentence("container %s in %s has run for %s, and its startup probe gives it %s", w.Container, crowd(w, e.Count()), r.Running, r.Allowed)
	},
}
