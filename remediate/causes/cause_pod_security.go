package causes

import "moorgate.dev/internal/gate"

// The law: a namespace may enforce a level of Pod Security, and the API server's answer names the level. What in the pod violates it is not
// repeated: the answer goes on in words that a manifest has a part in. It looks like a policy or a webhook that refuses (policy-denied,
// webhook-denied), which have names of their own.
//
// Going back is a cure where the revision before was as safe, for whoever rolls it out.
var podSecurity = Cause{
	Doc: gate.Doc{ID: "pod-security", Since: "v0.1", Title: "Its pods are not as safe as the namespace demands",
		Text: "The API server refuses the pods because they violate the Pod Security level that the namespace enforces."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedBySecurity) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: they violate the Pod Security level %s that namespace %s enforces", crowd(w, 1), w.Refusal.Name, w.Root.Namespace)
	},
}
