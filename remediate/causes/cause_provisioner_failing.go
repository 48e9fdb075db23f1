package causes

import "moorgate.dev/internal/gate"

// The law: the class is there and names a provisioner, nothing is left to wait for (no pod has to be placed first, or one was and its node
// was chosen), and no volume came for a while. Whether the provisioner runs, or the storage behind it refuses, is said in events only,
// which prove nothing. A claim that waits for the first pod that uses it is no fault and not this.
//
// Whoever runs the storage has to look.
var provisionerFailing = Cause{
	Doc: gate.Doc{ID: "provisioner-failing", Since: "v0.1", Title: "The provisioner makes no volume",
		Text: "A claim waits for the provisioner of its class, which is there by name and has not made a volume."},
	Symptoms: []Symptom{ClaimPending}, Points: 20, Sure: 80, cites: []string{EvidenceClaim},
	explainsObject: func(w World, _ Object) bool { c := w.Claim; return c != nil && !c.Lost && c.Provisioner != "" },
	tell: func(w World, _ Explained) string {
		return sentence("%s waits for provisioner %s to make a volume of %s", crowd(w, 1), w.Claim.Provisioner, w.Claim.Asks)
	},
}
