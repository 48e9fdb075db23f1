package gate

import (
	"fmt"
	"slices"
	"time"
)

// The law: at most so many actions in any window of time: under a Guardrail in all, in one namespace, on one workload. What
// was reserved counts, whatever came of it, so that a crash spends rather than saves. A budget that is not set, or whose
// window is longer than the ledger remembers, lets nothing start. The same count is taken again when an action is reserved,
// in the API server and on the ledger as it is then.
var budgetRule = rule{
	doc: Doc{ID: "budget", Since: "v0.2", Severity: Hold, Title: "Budgets",
		Text: "No more than budgets.total, perNamespace and perWorkload actions are started in any window of their length, across crashes and fail-overs. What was spent must be known."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.lately(func(l Ledger, next Spent) string { return r.overspent(l, next, m.At) })
	},
}

// overspent says which budget of a Guardrail has nothing left; empty if each has.
func (r *Rail) overspent(l Ledger, next Spent, at time.Time) string {
	total, inNamespace, onWorkload := 0, 0, 0
	b := r.Budgets
	from, fromHere, fromThis := at.Add(-b.Total.Window), at.Add(-b.Namespace.Window), at.Add(-b.Workload.Window)
	for i := range l.Entries {
		s := &l.Entries[i]
		if s.At.After(from) && slices.Contains(s.Guardrails, r.Name) {
			total++
		}
		if s.Namespace == next.Namespace && s.At.After(fromHere) {
			inNamespace++
		}
		if s.Workload == next.Workload && s.At.After(fromThis) {
			onWorkload++
		}
	}
	for _, b := range [...]struct {
		budget Budget
		spent  int
		of     string
	}{{b.Total, total, "in all"}, {b.Namespace, inNamespace, "in this namespace"}, {b.Workload, onWorkload, "on this workload"}} {
		switch {
		case b.budget.Window <= 0 || b.budget.Window > LedgerKeeps:
			return fmt.Sprintf("the budget %s has a window of %s, and the ledger keeps %s", b.of, b.budget.Window, LedgerKeeps)
		case b.spent >= b.budget.Actions:
			return fmt.Sprintf("%d actions %s in %s, and there may be %d", b.spent, b.of, b.budget.Window, b.budget.Actions)
		}
	}
	return ""
}
