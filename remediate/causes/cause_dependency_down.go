package causes

import (
	"strings"

	"moorgate.dev/internal/gate"
)

// The law: a container runs and is not ready, and it names a Service of its own namespace behind which nobody is ready. A program that
// says it is not ready while it lacks what it depends on does the right thing, and so do its probes. What it names counts only where
// such a Service exists, is to have endpoints, and is not its own (see waits-for-service, which is the same of an init container). One
// that is named by chance may be down by chance, so this is not sure. A probe that asks a port which is not there fails whoever else
// is up (probe-port), and is asked for before.
//
// Whoever stands behind the Service is to be looked at. Nothing that is done to this workload cures it.
var dependencyDown = Cause{
	Doc: gate.Doc{ID: "dependency-down", Since: "v0.2", Title: "A Service that it depends on has nobody ready",
		Text: "A container runs and is not ready, and names a Service of its namespace that exists and has no ready endpoint."},
	Symptoms: []Symptom{NotReady}, Points: 20, Sure: 70, cites: []string{EvidenceServices, EvidenceReadiness},
	explains: func(w World, p Pod) bool {
		names, _ := w.Unserved.Get()
		r, known := w.Readiness[p.Ref.UID]
		return len(names) > 0 && known && r.Probe != "" && w.Spared() == 0
	},
	tell: func(w World, e Explained) string {
		names, _ := w.Unserved.Get()
		return sentence("%s is not ready in %s, and names Service %s, which has no ready endpoint", e.who(w), crowd(w, e.Count()), strings.Join(names, " and Service "))
	},
}
