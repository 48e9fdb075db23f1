package causes

import "moorgate.dev/internal/gate"

// The law: the API server's answer begins with the name of the webhook that denied. Its reasons are a stranger's words and are not repeated.
// It is told apart from a webhook that does not answer (webhook-down), where nobody decided anything.
//
// Whoever runs the webhook knows why.
var webhookDenied = Cause{
	Doc: gate.Doc{ID: "webhook-denied", Since: "v0.1", Title: "An admission webhook refuses its pods",
		Text: "An admission webhook answers that the pods may not be created."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedByWebhook) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: the admission webhook %s denies them", crowd(w, 1), w.Refusal.Name)
	},
}
