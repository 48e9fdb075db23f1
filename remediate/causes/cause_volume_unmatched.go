package causes

import "moorgate.dev/internal/gate"

// The law: where nobody makes volumes (no class, or one without a provisioner), a claim waits for one that is there, is free, holds enough,
// can be mounted as it asks and carries the labels that it selects. None does; how many are free and what the largest holds is told.
// Where somebody makes them it is provisioner-failing.
//
// A volume, or a smaller wish in a new claim, cures it.
var volumeUnmatched = Cause{
	Doc: gate.Doc{ID: "volume-unmatched", Since: "v0.1", Title: "No volume fits the claim",
		Text: "Nobody makes volumes for the class of the claim, and none of those that are there and free fits: by size, mode or selector."},
	Symptoms: []Symptom{ClaimPending}, Points: 20, Sure: 90, cites: []string{EvidenceClaim},
	explainsObject: func(w World, _ Object) bool {
		c := w.Claim
		if c == nil {
			return false
		}
		name, says := c.Class.Get()
		there, known := c.ClassThere.Get()
		return says && c.Provisioner == "" && (name == "" || known && (there || c.Free > 0))
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s asks for %s, and of %s that are free none fits%s", crowd(w, 1), w.Claim.Asks, plural(w.Claim.Free, "volume"), w.Claim.Unfit)
	},
}
