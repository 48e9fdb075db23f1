package causes

import "moorgate.dev/internal/gate"

// The law: the delivery says that another, on which it depends, is not ready. That one has a Case of its own, or is suspended; nothing
// is wrong here besides.
var dependencyNotReady = Cause{
	Doc: gate.Doc{ID: "dependency-not-ready", Since: "v0.2", Title: "A delivery waits for another",
		Text: "A Kustomization or HelmRelease depends on another that is not ready."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 15, Sure: 90,
	explainsObject: failsFor("DependencyNotReady"),
	tell: func(w World, e Explained) string {
		return sentence("%s waits for another delivery that is not ready", crowd(w, 1))
	},
}
