package causes

import "moorgate.dev/internal/gate"

// The law: a claim whose volume was deleted under it is Lost, which its phase says, and stays so: what was on the volume is most likely
// gone. It is told apart from a claim that never had one, which is Pending.
//
// Nothing brings it back but a person with a copy.
var claimLost = Cause{
	Doc: gate.Doc{ID: "claim-lost", Since: "v0.1", Title: "The volume of a claim is gone",
		Text: "A claim was bound to a volume that is no longer there (phase Lost)."},
	Symptoms: []Symptom{ClaimPending}, Points: 30, Sure: 95, cites: []string{EvidenceClaim},
	explainsObject: func(w World, _ Object) bool { return w.Claim != nil && w.Claim.Lost },
	tell: func(w World, _ Explained) string {
		return sentence("%s lost its volume %s", crowd(w, 1), w.Claim.Volume)
	},
}
