package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet cannot make the container's environment (CreateContainerConfigError) because a ConfigMap is not there that
// the manifest names and does not call optional; and it is not there when somebody looks. It is told apart from a ConfigMap that
// lacks a key, from a Secret, and from a ConfigMap that came in the meantime. One that a volume needs is another matter: the pod does
// not get as far as this.
//
// It is the same for every pod that starts, on every node; those that run started before it went. Whoever makes it cures it, and
// going back does where the revision before does without.
var missingConfigMap = Cause{
	Doc: gate.Doc{ID: "missing-config-map", Since: "v0.2", Title: "A ConfigMap is missing",
		Text: "The container's environment names a ConfigMap that does not exist (CreateContainerConfigError). Not for a key that it lacks, nor for one that a volume needs."},
	Symptoms: []Symptom{CannotStart}, Points: 15, Sure: 95, Reversible: true,
	explains: missing(toldNoConfigMap, "ConfigMap", false), cites: []string{EvidenceReferences},
	shares: ofMissing("ConfigMap"),
	tell:   func(w World, e Explained) string { return tellMissing(w, e, "ConfigMap", false) },
}
