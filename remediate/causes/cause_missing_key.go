package causes

import "moorgate.dev/internal/gate"

// The law: a ConfigMap or a Secret is there and has no key of the name that the container's environment takes (CreateContainerConfigError).
// Of a ConfigMap the names of its keys are looked at, and never a value. The keys of a Secret nobody here can see, so the kubelet's word
// stands alone, and we are less sure. It is told apart from one that is missing as a whole, and from a key that came in the meantime.
//
// A key that was renamed in one place and not in the other is the usual story: going back cures it where the revision before does
// without, or the key is added.
var missingKey = Cause{
	Doc: gate.Doc{ID: "missing-key", Since: "v0.2", Title: "A ConfigMap or Secret lacks a key",
		Text: "The container's environment takes a key from a ConfigMap or a Secret that is there and does not have it (CreateContainerConfigError)."},
	Symptoms: []Symptom{CannotStart}, Points: 15, Sure: 95, Reversible: true,
	explains: func(w World, p Pod) bool {
		kind := keyOf(p.Told)
		return kind != "" && len(lacking(w, p, kind, true)) > 0
	},
	cites: []string{EvidenceReferences},
	tell:  func(w World, e Explained) string { return tellMissing(w, e, keyOf(e.Pods[0].Told), true) },
}

// keyOf is the kind of what lacks a key, as the kubelet says.
func keyOf(told Told) string {
	switch told {
	case toldNoConfigMapKey:
		return "ConfigMap"
	case toldNoSecretKey:
		return "Secret"
	}
	return ""
}
