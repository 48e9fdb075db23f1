package causes

import "moorgate.dev/internal/gate"

// The law: the autoscaler gets no metrics because nobody serves them: the API server knows no such kind, or its controller says in the
// words that it has for the fact that it was not found, or does not answer. It is the cluster that lacks it (a metrics server, an adapter), and
// every autoscaler is blind alike. Where they are served and none are of these pods, that is metrics-missing.
var metricsUnserved = Cause{
	Doc: gate.Doc{ID: "metrics-unserved", Since: "v0.2", Title: "Nobody serves the metrics",
		Text: "A HorizontalPodAutoscaler gets no metrics because the metrics API is not served, or does not answer."},
	Symptoms: []Symptom{AutoscalerBlind}, Points: 25, Sure: 90, cites: []string{EvidenceScaler},
	explainsObject: func(w World, o Object) bool {
		if means("ScalingActive", toldNoMetricsAPI)(w, o) {
			return true
		}
		if w.Scaler == nil || len(w.Scaler.Resource) == 0 || !states("ScalingActive", "False", "FailedGetResourceMetric", "FailedGetContainerResourceMetric")(w, o) {
			return false
		}
		served, known := w.Scaler.Metrics.Get()
		return known && !served
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s cannot scale %s: the API server knows nobody who serves the metrics, or they do not answer", crowd(w, 1), w.scaled())
	},
}
