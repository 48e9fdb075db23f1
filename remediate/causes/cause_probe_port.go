package causes

import "moorgate.dev/internal/gate"

// The law: a probe by HTTP, TCP or gRPC goes to a port, by number or name. The container declares ports, and that is not among them. A program
// may listen where it does not say so, so this is likely and not certain; a name that is not declared can never be resolved. A
// container that declares no ports at all says nothing of it. A pod whose siblings are ready with the same probe is not meant: the port
// works for them.
//
// Another pod asks the same port. Going back is a cure where the revision before asked another.
var probePort = Cause{
	Doc: gate.Doc{ID: "probe-port", Since: "v0.1", Title: "The probe goes to a port that is not declared",
		Text: "The readiness or startup probe goes to a port that no container port of the container is, while the container declares others."},
	Symptoms: []Symptom{NotReady}, Points: 20, Sure: 75, Reversible: true, cites: []string{EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		declared, known := w.Readiness[p.Ref.UID].Declared.Get()
		return known && !declared && w.Spared() == 0
	},
	tell: func(w World, e Explained) string {
		r := w.Readiness[e.Pods[0].Ref.UID]
		return sentence("container %s is not ready in %s: its probe goes to port %s, which it does not declare", w.Container, crowd(w, e.Count()), r.Port)
	},
}
