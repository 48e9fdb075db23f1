package causes

import "moorgate.dev/internal/gate"

// The law: a target port may be a name, which each pod resolves among the ports that its containers declare. Pods that do not declare it are
// left out of the endpoints, however ready they are. A port by number is sent to whether it is declared or not, so a wrong number is
// not seen here. Pods that are not ready are another matter (backends-not-ready).
//
// The name has to be the same on both sides.
var targetPortMissing = Cause{
	Doc: gate.Doc{ID: "target-port-missing", Since: "v0.1", Title: "No pod has the port that the Service sends to",
		Text: "The Service sends to a port by name that none of the ready pods it picks declares."},
	Symptoms: []Symptom{NoEndpoints}, Points: 20, Sure: 95, cites: []string{EvidenceBackends},
	explainsObject: func(w World, _ Object) bool { b := w.Backends; return b != nil && b.Ready > 0 && b.Port != "" },
	tell: func(w World, _ Explained) string {
		return sentence("%s sends to port %s, which none of %s that it picks declares", crowd(w, 1), w.Backends.Port, plural(w.Backends.Ready, "ready pod"))
	},
}
