package gate

import (
	"cmp"
	"strings"
	"time"
)

// Result is what came of a spent permit. The zero Result is unknown: reserved, and nobody has said yet, or ever will.
type Result string

// The results, as the ledger keeps them.
const (
	ResultPending     Result = ""            // reserved; a crash leaves it so, and it counts like one that was done
	ResultRefused     Result = "refused"     // the world refused, nothing changed
	ResultUnknown     Result = "unknown"     // no answer came that could be trusted
	ResultDone        Result = "done"        // done, and not verified yet
	ResultHealed      Result = "healed"      // done, and the workload was well afterwards for long enough
	ResultIneffective Result = "ineffective" // done, and it did not help
	ResultWorsened    Result = "worsened"    // done, and it got worse
)

// failed is whether a result says that the action itself failed.
func (r Result) failed() bool { return r == ResultRefused || r == ResultUnknown }

// unhelpful is whether a result says that the action was done and did no good.
func (r Result) unhelpful() bool { return r == ResultIneffective || r == ResultWorsened }

// Verified is whether a result was found by looking at the workload afterwards. It is final.
func (r Result) Verified() bool {
	return r == ResultHealed || r == ResultIneffective || r == ResultWorsened
}

// Bad is whether a result speaks against going on: the action failed, did not help, or made it worse.
func (r Result) Bad() bool { return r.failed() || r.unhelpful() }

// Spent is one permit that was reserved. It stays counted whether or not anything was done under it.
type Spent struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Guardrails []string  `json:"guardrails"` // the Guardrails that applied, whose budgets it counts against
	Namespace  string    `json:"namespace"`
	Workload   string    `json:"workload"` // WorkloadKey of the root owner
	Verb       string    `json:"verb"`
	Target     string    `json:"target"` // WorkloadKey of the object acted on
	Cause      string    `json:"cause,omitempty"`
	Result     Result    `json:"result,omitempty"`
	// Forgiven says that a human closed a breaker after this Result was known, so that it opens none again. It counts all
	// the same.
	Forgiven bool `json:"forgiven,omitempty"`
}

// Breaker is an open breaker of a namespace, or of everything where Namespace is empty. Only a human closes one; the brakes
// on a single workload are worked out from what was spent, and let go by themselves.
type Breaker struct {
	Namespace string    `json:"namespace,omitempty"`
	Since     time.Time `json:"since"`
	Why       string    `json:"why"`
}

// Tally is how often an action was tried for a cause, and how often the workload healed.
type Tally struct {
	Cause  string `json:"cause"`
	Verb   string `json:"verb"`
	Tried  int    `json:"tried"` // and verified since
	Healed int    `json:"healed"`
}

// Ledger is what was spent lately and which breakers are open. It is shared by every process that may act.
type Ledger struct {
	Entries []Spent   `json:"entries,omitempty"` // oldest first
	Open    []Breaker `json:"open,omitempty"`
	// Cut says that entries are missing here, as in a record that was shortened: what cannot be counted may well be too many.
	Cut bool `json:"cut,omitempty"`
}

// Refuses says which of the rules about what was done lately speaks against one more entry, as the reason of that rule; nil
// if none does. It is asked again when an action is reserved, in the API server and on the ledger as it is then, because
// several may have decided on the same one.
func (l Ledger) Refuses(p Policy, next Spent, at time.Time) *Reason {
	if len(p.Rails) == 0 {
		return &Reason{Rule: budgetRule.doc.ID, Decision: Hold, Text: "no Guardrail applies, so there is no budget"}
	}
	for _, r := range p.Rails {
		for _, law := range [...]struct {
			doc Doc
			why string
		}{{breakerRule.doc, l.broken(next)}, {attemptsRule.doc, r.exhausted(l, next, at)}, {coolDownRule.doc, r.tooSoon(l, next, at)},
			{budgetRule.doc, r.overspent(l, next, at)}} {
			if why := cmp.Or(l.partial(), law.why); why != "" {
				return &Reason{Rule: law.doc.ID, Guardrail: r.Name, Decision: Hold, Text: why}
			}
		}
	}
	return nil
}

// partial says why nothing may be concluded from the ledger; empty if it is whole.
func (l Ledger) partial() string {
	if l.Cut {
		return "what was done lately is known in part only"
	}
	return ""
}

// NewSpent is the entry that a reservation of an action makes, but for its ID and time.
func NewSpent(p Policy, a Action, cause string) Spent {
	s := Spent{Namespace: a.Target.Namespace, Workload: WorkloadKey(a.victim()), Verb: a.Verb, Target: WorkloadKey(a.Target), Cause: cause}
	for _, r := range p.Rails {
		s.Guardrails = append(s.Guardrails, r.Name)
	}
	return s
}

// WorkloadKey names an object as the ledger does: by group, kind, namespace and name, so that one that was deleted and made
// again is still the same.
func WorkloadKey(r Ref) string {
	return strings.Join([]string{r.Group, r.Kind, r.Namespace, r.Name}, "/")
}
