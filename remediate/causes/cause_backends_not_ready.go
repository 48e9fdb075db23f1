package causes

import "moorgate.dev/internal/gate"

// The law: pods that are not ready are not sent to. Where they show a symptom of their own, that is told of them and this is not opened: it
// is left for pods that begin, end or flap all the time, so that none is unready for long and the Service never has anybody. It is told
// apart from a selector that matches nothing.
//
// It passes with the pods.
var backendsNotReady = Cause{
	Doc: gate.Doc{ID: "backends-not-ready", Since: "v0.1", Title: "None of the pods that the Service picks is ready",
		Text: "The Service picks pods, and none of them is ready, without one that shows a symptom of its own yet."},
	Symptoms: []Symptom{NoEndpoints}, Points: 15, Sure: 85, cites: []string{EvidenceBackends},
	explainsObject: func(w World, _ Object) bool { b := w.Backends; return b != nil && b.Picked > 0 && b.Ready == 0 },
	tell: func(w World, _ Explained) string {
		return sentence("%s picks %s, and none is ready", crowd(w, 1), plural(w.Backends.Picked, "pod"))
	},
}
