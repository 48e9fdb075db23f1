package causes

import "moorgate.dev/internal/gate"

// The law: metrics are served, and there are none of the pods in question: their controller says so in the words that it has for that.
// Pods that are new, not ready or not there have none; an autoscaler of a workload that does not come up is blind because of that, and
// the workload has a Case of its own.
var metricsMissing = Cause{
	Doc: gate.Doc{ID: "metrics-missing", Since: "v0.2", Title: "There are no metrics of an autoscaler's pods",
		Text: "Metrics are served, and none are of the pods that a HorizontalPodAutoscaler measures: they are new, not ready, or select nothing."},
	Symptoms: []Symptom{AutoscalerBlind}, Points: 15, Sure: byMessage, cites: []string{EvidenceScaler},
	explainsObject: means("ScalingActive", toldNoMetrics),
	tell: func(w World, _ Explained) string {
		return sentence("%s cannot scale %s: there are no metrics of its pods", crowd(w, 1), w.scaled())
	},
}
