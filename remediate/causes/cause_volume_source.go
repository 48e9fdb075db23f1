package causes

import "moorgate.dev/internal/gate"

// The law: a pod with a volume of a ConfigMap or a Secret does not begin before that is there. It is asked for by name, and is not; one
// that is optional is not waited for. A ConfigMap that a variable names is another matter: the pod begins and its container is not
// created (CannotStart). Secrets are not read: whether one is there is found out by a dry run that stores nothing.
//
// Another pod needs the same. Going back is a cure where the revision before did without; so is making it.
var volumeSourceMissing = Cause{
	Doc: gate.Doc{ID: "volume-source-missing", Since: "v0.1", Title: "What a volume is made of is not there",
		Text: "A volume of the pod is made of a ConfigMap or Secret that does not exist and is not optional."},
	Symptoms: []Symptom{NotStarting}, Points: 20, Sure: 90, Reversible: true, cites: []string{EvidenceVolumes},
	explains: func(w World, p Pod) bool {
		return w.Starts[p.Ref.UID].Missing != ""
	},
	tell: func(w World, e Explained) string {
		s := w.Starts[e.Pods[0].Ref.UID]
		return sentence("%s cannot begin: %s, of which a volume is made, is not there", crowd(w, e.Count()), s.Missing)
	},
}
