package causes

import "moorgate.dev/internal/gate"

// The law: a container that runs, has started and has a readiness probe is not ready only because that probe does not pass. What it answers
// is said in events only, which prove nothing, so why is not told. It is told apart from a program that is still starting (slow-start), a
// port that is not declared (probe-port) and a gate that is not set (readiness-gate), which are all asked for before.
//
// Where siblings are ready another pod may do better; where none is, going back is a cure if the revision before is known to work.
var readinessProbeFails = Cause{
	Doc: gate.Doc{ID: "readiness-probe-fails", Since: "v0.1", Title: "The readiness probe fails",
		Text: "The container runs, has a readiness probe, has had the time to start, and is not ready: the probe does not pass."},
	Symptoms: []Symptom{NotReady}, Points: 20, Sure: 80, Replaceable: true, Reversible: true, cites: []string{EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		r, known := w.Readiness[p.Ref.UID]
		return known && r.Started && r.Probe != ""
	},
	tell: func(w World, e Explained) string {
		r := w.Readiness[e.Pods[0].Ref.UID]
		return sentence("container %s is not ready in %s: its %s probe does not pass, after %s", w.Container, crowd(w, e.Count()), r.Probe, r.Running)
	},
}
