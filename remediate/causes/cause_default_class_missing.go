package causes

import "moorgate.dev/internal/gate"

// The law: a claim that leaves its class open gets the default one, also later when there is one. Where no class is marked as the default, it
// waits. A claim that says that it wants no class (the empty name) is another matter: it waits for a volume made by hand
// (volume-unmatched).
//
// A default, or a class in the claim, cures it.
var defaultClassMissing = Cause{
	Doc: gate.Doc{ID: "default-class-missing", Since: "v0.1", Title: "There is no default StorageClass",
		Text: "A claim names no StorageClass, and none is marked as the default."},
	Symptoms: []Symptom{ClaimPending}, Points: 20, Sure: 95, cites: []string{EvidenceClaim},
	explainsObject: func(w World, _ Object) bool {
		c := w.Claim
		if c == nil {
			return false
		}
		_, says := c.Class.Get()
		return !says && !c.Lost
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s names no StorageClass, and none is the default", crowd(w, 1))
	},
}
