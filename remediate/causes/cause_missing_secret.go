package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet cannot make the container's environment (CreateContainerConfigError) because a Secret is not there that the
// manifest names and does not call optional. Nobody here reads Secrets. Whether there is one of that name is asked by a dry run,
// where that is allowed; where it is not, the kubelet's word stands alone, and we are less sure. A Secret that another makes (an
// operator, a sealed one) may be about to come.
//
// It is the same for every pod that starts, on every node. Whoever makes the Secret cures it, and going back does where the revision
// before does without.
var missingSecret = Cause{
	Doc: gate.Doc{ID: "missing-secret", Since: "v0.2", Title: "A Secret is missing",
		Text: "The container's environment names a Secret that does not exist (CreateContainerConfigError). Not for a key that it lacks, nor for one that a volume needs."},
	Symptoms: []Symptom{CannotStart}, Points: 15, Sure: 95, Reversible: true,
	explains: missing(toldNoSecret, "Secret", false), cites: []string{EvidenceReferences},
	shares: ofMissing("Secret"),
	tell:   func(w World, e Explained) string { return tellMissing(w, e, "Secret", false) },
}
