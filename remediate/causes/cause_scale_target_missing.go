package causes

import "moorgate.dev/internal/gate"

// The law: what the autoscaler is to scale is not there: it was looked for and not found, or its controller says so in the words that it
// has for that. A target that is there and scaled to nothing is disabled on purpose, and no fault.
var scaleTargetMissing = Cause{
	Doc: gate.Doc{ID: "scale-target-missing", Since: "v0.2", Title: "What an autoscaler scales is not there",
		Text: "A HorizontalPodAutoscaler names a target that does not exist. Not for one that is scaled to zero on purpose."},
	Symptoms: []Symptom{AutoscalerBlind}, Points: 20, Sure: 95, cites: []string{EvidenceScaler},
	explainsObject: func(w World, o Object) bool {
		if w.Scaler != nil {
			if there, known := w.Scaler.There.Get(); known {
				return !there
			}
		}
		return means("AbleToScale", toldNoTarget)(w, o)
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s is to scale %s, which does not exist", crowd(w, 1), w.scaled())
	},
}

// scaled is what an autoscaler is to scale, as a sentence names it.
func (w World) scaled() string {
	if w.Scaler == nil || w.Scaler.Target == "" {
		return "its target"
	}
	return w.Scaler.Target
}
