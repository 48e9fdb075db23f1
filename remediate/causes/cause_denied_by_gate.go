package causes

import "moorgate.dev/internal/gate"

// The law: what is delivered was refused by the gate that Moorgate itself keeps. The message reads as the deliverer and the API server
// write a refusal, with the gate's name at its place, so that no manifest can put it there. The gate's own Case on the workload says
// why and what would mend it; nothing that is done to the delivery does.
var deniedByGate = Cause{
	Doc: gate.Doc{ID: "denied-by-gate", Since: "v0.2", Title: "Moorgate's own gate refuses what is delivered",
		Text: "What Flux or Argo CD would apply is refused by Moorgate's gate, whose Case says why."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 15, Sure: byMessage,
	explainsObject: denied(toldDeniedHere),
	tell: func(w World, e Explained) string {
		return sentence("%s fails to deliver: the gate of Moorgate refuses what it applies; the Case of that workload says why", crowd(w, 1))
	},
}
