package causes

import "moorgate.dev/internal/gate"

// The law: everything was applied and the health of it was waited for in vain. The workloads that do not become ready have Cases of
// their own, which say why; the delivery is well.
var unhealthyAfter = Cause{
	Doc: gate.Doc{ID: "unhealthy-after-apply", Since: "v0.2", Title: "What was delivered does not become well",
		Text: "Everything was applied, and what was applied does not become ready."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 15, Sure: 85,
	explainsObject: failsFor("HealthCheckFailed"),
	tell: func(w World, e Explained) string {
		return sentence("%s applied everything, and not all of that becomes ready", crowd(w, 1))
	},
}
