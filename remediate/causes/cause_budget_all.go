package causes

import "moorgate.dev/internal/gate"

// The law: a budget that asks for as many healthy pods as there are lets none be evicted, also where all are healthy: one replica with a
// minAvailable of 1 is the common way. It is told apart from a budget that allows none for now because pods are not healthy, which asks
// for fewer than there are; and from one that never allows any (budget-allows-none): here one more replica is a cure.
//
// More replicas or a smaller number cure it.
var budgetAll = Cause{
	Doc: gate.Doc{ID: "budget-asks-for-all", Since: "v0.1", Title: "The budget asks for as many pods as there are",
		Text: "A PodDisruptionBudget wants as many healthy pods as its workload has, so that none of them can be evicted while it has no more."},
	Symptoms: []Symptom{DisruptionStuck}, Points: 15, Sure: 95, cites: []string{EvidenceBudget},
	explainsObject: func(w World, _ Object) bool { b := w.Budget; return b != nil && !b.Never && b.Healthy >= b.Pods },
	tell: func(w World, _ Explained) string {
		return sentence("%s asks for %d healthy of %s (%s): none can be evicted", crowd(w, 1), w.Budget.Healthy, plural(int(w.Budget.Pods), "pod"), w.Budget.Rule)
	},
}
