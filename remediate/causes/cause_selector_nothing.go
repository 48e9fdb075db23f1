package causes

import "moorgate.dev/internal/gate"

// The law: a Service sends to the pods that its selector matches. It matches none, and the template of no workload of the namespace either:
// so it is not that a workload is scaled to nothing on purpose, which is no fault, or that its pods are refused, which is told of the
// workload. Most often a label was renamed on one side: the label that no pod has is told.
//
// The labels of the two have to meet.
var selectorNothing = Cause{
	Doc: gate.Doc{ID: "selector-matches-nothing", Since: "v0.1", Title: "The Service picks no pod",
		Text: "The selector of a Service matches no pod of its namespace, and no workload that would make one."},
	Symptoms: []Symptom{NoEndpoints}, Points: 20, Sure: 95, cites: []string{EvidenceBackends},
	explainsObject: func(w World, _ Object) bool { b := w.Backends; return b != nil && b.Picked == 0 },
	tell: func(w World, _ Explained) string {
		return sentence("%s picks no pod: none in namespace %s has %s", crowd(w, 1), w.Root.Namespace, w.Backends.Missing)
	},
}
