package causes

import "moorgate.dev/internal/gate"

// The law: the API server's answer says that calling a webhook failed, and names it. A webhook with failurePolicy Fail that is down refuses
// all pods of all workloads that it is asked about, its own among them. It is told apart from one that answers no (webhook-denied).
//
// Nothing about the workload cures it.
var webhookDown = Cause{
	Doc: gate.Doc{ID: "webhook-down", Since: "v0.1", Title: "An admission webhook does not answer",
		Text: "The API server cannot reach an admission webhook that has to be asked about pods, so that no pod may be created."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedByOutage) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: the admission webhook %s does not answer", crowd(w, 1), w.Refusal.Name)
	},
}
