package causes

import "moorgate.dev/internal/gate"

// The law: the autoscaler measures and would have more pods than it may make (ScalingLimited, TooManyReplicas), and has for long. It does
// what it was told, so this is told and hardly counts. One that passes through its maximum in a peak is not looked at, and one whose
// least is its most was pinned on purpose.
var atMaximum = Cause{
	Doc: gate.Doc{ID: "at-maximum", Since: "v0.2", Title: "An autoscaler is at its maximum",
		Text: "A HorizontalPodAutoscaler has wanted more pods than its maximum for long. It works; the maximum may be too low."},
	Symptoms: []Symptom{AutoscalerBlind}, Points: 15, Sure: 95, cites: []string{EvidenceScaler},
	explainsObject: func(w World, o Object) bool {
		return states("ScalingActive", "True")(w, o) && states("ScalingLimited", "True", "TooManyReplicas")(w, o)
	},
	tell: func(w World, _ Explained) string {
		if w.Scaler == nil {
			return sentence("%s has been at its maximum since %s", crowd(w, 1), w.sinceSaid("ScalingLimited"))
		}
		return sentence("%s has wanted more than its maximum of %d for %s since %s", crowd(w, 1), w.Scaler.Most, w.scaled(), w.sinceSaid("ScalingLimited"))
	},
}
