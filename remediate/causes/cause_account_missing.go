package causes

import "moorgate.dev/internal/gate"

// The law: a pod names a ServiceAccount, and none is made without it. The API server's answer may say so; in any case the account is asked
// for, and is not there. An account that came by now is no cause: the controller will have another try. A Secret that is missing is found
// only once a pod is there.
//
// The account has to be made, or the name set right.
var accountMissing = Cause{
	Doc: gate.Doc{ID: "account-missing", Since: "v0.1", Title: "Its ServiceAccount is not there",
		Text: "The API server refuses the pods because the ServiceAccount that they name does not exist, which was asked for and is so."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 95, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedForAccount) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: ServiceAccount %s is not there", crowd(w, 1), w.Refusal.Name)
	},
}
