package causes

import (
	"strings"

	"moorgate.dev/internal/gate"
)

// The law: the autoscaler measures a share of what pods ask for, and a container of its target asks for none, so that there is no share.
// Its controller says so in the words that it has for that. The template of the target tells which containers; where it asks for
// all, a pod of an earlier revision or a sidecar that somebody else puts in may not, and the words alone count. That there are no metrics
// of the pods at all (metrics-missing) is said in other words.
var requestMissing = Cause{
	Doc: gate.Doc{ID: "request-missing", Since: "v0.2", Title: "A container asks for none of what its autoscaler measures",
		Text: "A HorizontalPodAutoscaler measures cpu or memory as a share of the request, and a container of its target has no such request."},
	Symptoms: []Symptom{AutoscalerBlind}, Points: 15, Sure: 90, cites: []string{EvidenceScaler},
	explainsObject: means("ScalingActive", toldNoRequest),
	tell: func(w World, _ Explained) string {
		if w.Scaler == nil || len(w.Scaler.Bare) == 0 {
			return sentence("%s cannot scale %s: a container of its pods has no request of what is measured", crowd(w, 1), w.scaled())
		}
		return sentence("%s cannot scale %s: container %s has no request of %s", crowd(w, 1), w.scaled(), named(w.Scaler.Bare), strings.Join(w.Scaler.Resource, " or "))
	},
}
