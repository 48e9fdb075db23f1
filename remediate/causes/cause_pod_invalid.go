package causes

import "moorgate.dev/internal/gate"

// The law: a template that the API server took may still make a pod that it does not: names that get too long, or what a mutating webhook
// made of it. The answer begins with that the pod is invalid. It is told apart from pods that are forbidden, where somebody decided.
//
// Another pod of the template is no better.
var podInvalid = Cause{
	Doc: gate.Doc{ID: "pod-invalid", Since: "v0.1", Title: "Its pods are not valid",
		Text: "The API server says that a pod of the workload is not valid: most often a default or a mutation of a webhook made it so."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 75, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedAsInvalid) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: the API server calls them invalid", crowd(w, 1))
	},
}
