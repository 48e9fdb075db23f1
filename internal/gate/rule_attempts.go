package gate

import (
	"fmt"
	"time"
)

// The law: what did not help a few times will not help the next time. One workload gets a number of actions a day, healed or
// not; after that people are needed.
var attemptsRule = rule{
	doc: Doc{ID: "attempts", Since: "v0.2", Severity: Hold, Title: "Attempts",
		Text: "One workload gets restraint.attempts actions in 24 hours, whatever came of them. What was done must be known."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.lately(func(l Ledger, next Spent) string { return r.exhausted(l, next, m.At) })
	},
}

// exhausted says that a workload had all its attempts; empty if it did not.
func (r *Rail) exhausted(l Ledger, next Spent, at time.Time) string {
	n, from := 0, at.Add(-AttemptsWindow)
	for i := range l.Entries {
		if s := &l.Entries[i]; s.Workload == next.Workload && s.At.After(from) {
			n++
		}
	}
	if n >= r.Restraint.Attempts {
		return fmt.Sprintf("%d attempts at this workload in 24 hours, and there may be %d", n, r.Restraint.Attempts)
	}
	return ""
}
