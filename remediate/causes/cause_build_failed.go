package causes

import "moorgate.dev/internal/gate"

// The law: the source was read, and no manifests could be made of it: a file that is none, a reference to nothing, a template that
// fails. The last commit is where to look. Argo CD says the same (ComparisonError) where it cannot read what it compares.
var buildFailed = Cause{
	Doc: gate.Doc{ID: "build-failed", Since: "v0.2", Title: "What is delivered cannot be built",
		Text: "Git holds what kustomize, Helm or Argo CD cannot make manifests of."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 90,
	explainsObject: failsFor("BuildFailed", "ComparisonError", "ChartPackageError"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot make manifests of what Git holds (%s)", crowd(w, 1), e.failing())
	},
}
