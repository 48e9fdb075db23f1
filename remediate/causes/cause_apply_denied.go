package causes

import "moorgate.dev/internal/gate"

// The law: what is delivered was refused by an admission webhook or an admission policy of somebody else's. Whose, and why, stands on
// the object itself, in words that are not repeated here. A refusal of Moorgate's own gate is another cause.
var applyDenied = Cause{
	Doc: gate.Doc{ID: "apply-denied", Since: "v0.2", Title: "A policy of the cluster refuses what is delivered",
		Text: "What Flux or Argo CD would apply is refused by an admission webhook or policy that is not Moorgate's."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: byMessage,
	explainsObject: denied(toldDeniedThere),
	tell: func(w World, e Explained) string {
		return sentence("%s fails to deliver: a policy of the cluster refuses what it applies", crowd(w, 1))
	},
}
