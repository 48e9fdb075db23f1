package gate

import (
	"fmt"
	"time"
)

// The law: no hammering. The same action on the same target waits for the cool-down. A workload on which three actions in a
// row failed is left alone for an hour, one that three in a row did not help for four.
var coolDownRule = rule{
	doc: Doc{ID: "cool-down", Since: "v0.2", Severity: Hold, Title: "Cool-down",
		Text: "The same action on the same target waits for restraint.coolDown, at least 5 minutes. Three failures in a row on one workload stop actions on it for an hour, three actions in a row that did not help for four hours."},
	weigh: func(r Rail, a Assessment, f Facts) (Decision, string) {
		return each(a, f, ReachGit, func(x Action) (Decision, string) {
			l, why := entries(f)
			if why != "" {
				return Hold, why
			}
			coolDown, target := max(r.Restraint.CoolDown, CoolDownLeast), WorkloadKey(x.Target)
			for _, s := range l.Entries {
				if since := f.At.Sub(s.At); s.Verb == x.Verb && s.Target == target && since < coolDown {
					return Hold, fmt.Sprintf("%s was done to it %s ago, and %s are waited", x.Verb, since.Truncate(time.Second), coolDown)
				}
			}
			return l.inARow(WorkloadKey(x.victim()), f.At)
		})
	},
}

const (
	inARow           = 3
	failedBlocks     = time.Hour
	unhelpfulsBlocks = 4 * time.Hour
)

// inARow holds where the last three actions on a workload all failed, or all did not help.
func (l Ledger) inARow(workload string, at time.Time) (Decision, string) {
	failed, unhelpful := 0, 0
	var last time.Time
	for _, s := range l.Entries { // oldest first
		if s.Workload != workload {
			continue
		}
		last = s.At
		if failed++; !s.Result.failed() {
			failed = 0
		}
		if unhelpful++; s.Result != ResultIneffective && s.Result != ResultWorsened {
			unhelpful = 0
		}
	}
	switch since := at.Sub(last); {
	case failed >= inARow && since < failedBlocks:
		return Hold, fmt.Sprintf("the last %d actions on this workload failed; it is left alone for %s", failed, failedBlocks)
	case unhelpful >= inARow && since < unhelpfulsBlocks:
		return Hold, fmt.Sprintf("the last %d actions on this workload did not help; it is left alone for %s", unhelpful, unhelpfulsBlocks)
	}
	return Allow, ""
}
