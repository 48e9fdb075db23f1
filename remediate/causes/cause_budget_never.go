package causes

import "moorgate.dev/internal/gate"

// The law: a maxUnavailable of 0, or of 0 %, and a minAvailable of 100 % allow no disruption however many pods there are and however well they fare. Somebody may have
// meant it; a drain of a node that has one of the pods waits forever all the same. It is told apart from a budget that asks for as many
// as there happen to be (budget-asks-for-all): more replicas are no help here.
//
// The budget has to change.
var budgetNever = Cause{
	Doc: gate.Doc{ID: "budget-allows-none", Since: "v0.1", Title: "The budget allows no disruption at all",
		Text: "A PodDisruptionBudget has a maxUnavailable of nothing, or a minAvailable of all, so that none of its pods can ever be evicted."},
	Symptoms: []Symptom{DisruptionStuck}, Points: 15, Sure: 95, cites: []string{EvidenceBudget},
	explainsObject: func(w World, _ Object) bool { return w.Budget != nil && w.Budget.Never },
	tell: func(w World, _ Explained) string {
		return sentence("%s never lets one of %s be evicted: it says %s", crowd(w, 1), plural(int(w.Budget.Pods), "pod"), w.Budget.Rule)
	},
}
