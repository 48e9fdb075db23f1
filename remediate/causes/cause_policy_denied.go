package causes

import "moorgate.dev/internal/gate"

// The law: the API server's answer names the ValidatingAdmissionPolicy that denies. What it says besides is whoever wrote the policy's, and
// not repeated. It is told apart from a webhook (webhook-denied) and from Pod Security (pod-security).
//
// Going back is a cure where the revision before was let in, for whoever rolls it out.
var policyDenied = Cause{
	Doc: gate.Doc{ID: "policy-denied", Since: "v0.1", Title: "An admission policy refuses its pods",
		Text: "A ValidatingAdmissionPolicy denies the pods of the workload."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedByPolicy) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: the policy %s denies them", crowd(w, 1), w.Refusal.Name)
	},
}
