package gate

import (
	"fmt"
	"time"
)

// The law: no hammering. The same action on the same target waits for the cool-down. A workload on which three actions failed
// is left alone for an hour, one that three did not help for four, unless something went well in between. One of which nobody
// has said yet what came of it is not something that went well.
var coolDownRule = rule{
	doc: Doc{ID: "cool-down", Since: "v0.2", Severity: Hold, Title: "Cool-down",
		Text: "The same action on the same target waits for restraint.coolDown, at least 5 minutes. Three failures on one workload with no success in between stop actions on it for an hour, three actions that did not help with none that healed in between for four hours."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.lately(func(l Ledger, next Spent) string { return r.tooSoon(l, next, m.At) })
	},
}

const (
	inARow          = 3
	failedBlocks    = time.Hour
	unhelpfulBlocks = 4 * time.Hour
)

// tooSoon says why one more entry would come too soon; empty if it would not.
func (r *Rail) tooSoon(l Ledger, next Spent, at time.Time) string {
	coolDown := max(r.Restraint.CoolDown, CoolDownLeast)
	for i := range l.Entries {
		s := &l.Entries[i]
		if s.Verb != next.Verb || s.Target != next.Target {
			continue
		}
		if since := at.Sub(s.At); since < coolDown {
			return fmt.Sprintf("%s was done to it %s ago, and %s are waited", s.Verb, since.Truncate(time.Second), coolDown)
		}
	}
	var failed, unhelpful run
	for i := range l.Entries { // oldest first
		if s := &l.Entries[i]; s.Workload == next.Workload {
			failed.add(s.At, s.Result.failed(), s.Result == ResultDone || s.Result == ResultHealed)
			unhelpful.add(s.At, s.Result.unhelpful(), s.Result == ResultHealed)
		}
	}
	switch {
	case failed.blocks(at, failedBlocks):
		return fmt.Sprintf("the last %d actions on this workload failed; it is left alone for %s", failed.n, failedBlocks)
	case unhelpful.blocks(at, unhelpfulBlocks):
		return fmt.Sprintf("the last %d actions on this workload did not help; it is left alone for %s", unhelpful.n, unhelpfulBlocks)
	}
	return ""
}

// run is how often something bad happened since something good did, and when last.
type run struct {
	n    int
	last time.Time
}

func (r *run) add(at time.Time, bad, good bool) {
	switch {
	case bad:
		r.n++
		if at.After(r.last) {
			r.last = at
		}
	case good:
		*r = run{}
	}
}

func (r run) blocks(at time.Time, lasts time.Duration) bool {
	return r.n >= inARow && at.Sub(r.last) < lasts
}
