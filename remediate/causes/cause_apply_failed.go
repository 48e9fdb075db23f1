package causes

import "moorgate.dev/internal/gate"

// The law: the manifests were made and could not be applied: a field that the API server does not know, one that may not be changed, a
// right that is missing, a name that another claims. Which it is the controller says in words that repeat the manifest, and they are
// not kept. Where the words are those of a refusal, that is another cause.
var applyFailed = Cause{
	Doc: gate.Doc{ID: "apply-failed", Since: "v0.2", Title: "What is delivered cannot be applied",
		Text: "Flux or Argo CD could not apply what Git holds."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 80,
	explainsObject: failsFor("ReconciliationFailed", "PruneFailed", "Failed", "Error", "SyncError"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot apply what Git holds (%s)", crowd(w, 1), e.failing())
	},
}
