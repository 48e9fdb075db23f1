package causes

import "moorgate.dev/internal/gate"

// The law: a quota that counts requests or limits has every container say them, and the API server's answer names the quota. It looks like a
// quota without room (quota-exceeded); there room is the matter, here a number that nobody wrote. A LimitRange with defaults cures it
// for all pods of the namespace.
//
// Going back is a cure where the revision before said more, for whoever rolls it out.
var quotaNeedsRequests = Cause{
	Doc: gate.Doc{ID: "quota-needs-requests", Since: "v0.1", Title: "A quota wants requests or limits that its pods do not say",
		Text: "The API server refuses the pods because a ResourceQuota counts something that a container of theirs leaves open."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedUnsaid) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: quota %s wants each container to say what it asks for", crowd(w, 1), w.Refusal.Name)
	},
}
