package causes

import "moorgate.dev/internal/gate"

// The law: the API server's answer says that a quota is exceeded, and names it; or nobody knows the answer, and a quota without scopes has
// less left than one pod is charged for. The quota as it is now is read and has to bear it out: where there is room by now, the answer
// is of before and something else keeps the pods. A quota that wants to be told more is quota-needs-requests, and a cap on single pods
// is limit-range. A rollout at its quota for the surge alone is told with the same numbers.
//
// No other pod is charged less. The quota, or what counts against it, has to change.
var quotaExceeded = Cause{
	Doc: gate.Doc{ID: "quota-exceeded", Since: "v0.1", Title: "A quota has no room for its pods",
		Text: "The API server refuses the pods of the workload because a ResourceQuota of the namespace has no room for them, and the quota as it is bears that out."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 95, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedByQuota) },
	shares:         ofQuota,
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no more pods: %s", crowd(w, 1), w.Refusal.Why)
	},
}
