package causes

import (
	"strings"

	"moorgate.dev/internal/gate"
)

// EvidenceServices is which Services of its namespace a container names, and whether anybody is ready behind them.
const EvidenceServices = "services"

// The law: an init container runs and does not end, and it names a Service of its own namespace behind which nobody is ready. What it
// waits for nobody can see: what it names is text of whoever wrote the manifest, and only counts where a Service of that name exists,
// is to have endpoints (it selects pods), and has none that is ready. A Service that selects the pod's own workload is never what
// it waits for: that one has nobody ready because of this. One that is named by chance may be down by chance, so this is not sure.
//
// Whoever stands behind the Service is to be looked at. Nothing that is done to this workload cures it.
var waitsForService = Cause{
	Doc: gate.Doc{ID: "waits-for-service", Since: "v0.2", Title: "An init container waits for a Service that has nobody ready",
		Text: "An init container does not end, and names a Service of its namespace that exists and has no ready endpoint."},
	Symptoms: []Symptom{InitStuck}, Points: 25, Sure: 75,
	explains: func(w World, _ Pod) bool { names, _ := w.Unserved.Get(); return len(names) > 0 },
	cites:    []string{EvidenceServices},
	tell: func(w World, e Explained) string {
		names, _ := w.Unserved.Get()
		return sentence("%s does not end in %s, and names Service %s, which has no ready endpoint", e.who(w), crowd(w, e.Count()), strings.Join(names, " and Service "))
	},
}

// initCauses are about an init container that does not end.
var initCauses = []Cause{waitsForService}
