package causes

import "moorgate.dev/internal/gate"

// The law: the controller gave up because of how the delivery itself is written: an address, a path, a project or a reference that
// cannot be. Waiting helps nothing. That what it delivers is wrong, it says in other words.
var deliveryInvalid = Cause{
	Doc: gate.Doc{ID: "delivery-invalid", Since: "v0.2", Title: "A delivery is not described as it should be",
		Text: "A source, a Kustomization, a HelmRelease or an Application names what cannot be: a URL, a path, a project."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 90,
	explainsObject: failsFor("URLInvalid", "InvalidSpecError", "InvalidCELExpression", "InvalidPolicy", "InvalidProviderConfiguration", "InvalidSTSConfiguration", "InvalidChartReference", "InvalidValuesReference", "ValuesError"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot deliver as it is written (%s)", crowd(w, 1), e.failing())
	},
}
