package causes

import "moorgate.dev/internal/gate"

// The law: a pod may name conditions besides its containers that have to hold before it is ready, for somebody else to set, such as the
// controller of a load balancer. All its containers are ready, and such a condition is absent or not true. It is told apart from a
// container that is not ready, which is asked for first.
//
// Whoever sets the gate has to be looked at. Another pod waits for the same.
var readinessGate = Cause{
	Doc: gate.Doc{ID: "readiness-gate", Since: "v0.1", Title: "A readiness gate is not set",
		Text: "Every container of the pod is ready, and a readiness gate that the pod names is not: whoever should set it has not."},
	Symptoms: []Symptom{NotReady}, Points: 20, Sure: 95, cites: []string{EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		return w.Readiness[p.Ref.UID].Gate != ""
	},
	tell: func(w World, e Explained) string {
		r := w.Readiness[e.Pods[0].Ref.UID]
		return sentence("%s is not ready: nobody set its readiness gate %s", crowd(w, e.Count()), r.Gate)
	},
}
