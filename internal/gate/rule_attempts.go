package gate

import "fmt"

// The law: what did not help a few times will not help the next time. One workload gets a number of actions a day, healed or
// not; after that people are needed.
var attemptsRule = rule{
	doc: Doc{ID: "attempts", Since: "v0.2", Severity: Hold, Title: "Attempts",
		Text: "One workload gets restraint.attempts actions in 24 hours, whatever came of them. What was done must be known."},
	weigh: func(r Rail, a Assessment, f Facts) (Decision, string) {
		return each(a, f, ReachGit, func(x Action) (Decision, string) {
			l, why := entries(f)
			if why != "" {
				return Hold, why
			}
			workload, n := WorkloadKey(x.victim()), 0
			for _, s := range l.Entries {
				if s.Workload == workload && f.At.Sub(s.At) < AttemptsWindow {
					n++
				}
			}
			if n >= r.Restraint.Attempts {
				return Hold, fmt.Sprintf("%d attempts at this workload in 24 hours, and there may be %d", n, r.Restraint.Attempts)
			}
			return Allow, ""
		})
	},
}
