package causes

import "moorgate.dev/internal/gate"

// The law: what is applied comes from a source that has none of it. The source has a Case of its own, which says why; nothing is wrong
// here besides.
var sourceNotReady = Cause{
	Doc: gate.Doc{ID: "source-not-ready", Since: "v0.2", Title: "What a delivery reads from is not ready",
		Text: "A Kustomization or HelmRelease waits for its source, which has nothing to give."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 15, Sure: 85,
	explainsObject: failsFor("ArtifactFailed", "SourceNotReady", "HelmChartNotReady", "GetLastReleaseFailed"),
	tell: func(w World, e Explained) string {
		return sentence("%s waits for its source, which has nothing to give", crowd(w, 1))
	},
}
