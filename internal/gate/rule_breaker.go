package gate

import (
	"fmt"
	"time"
)

// The law: where acting went wrong again and again, acting stops, and only a human starts it again. The breaker of a namespace
// opens when actions in it made things worse or kept failing; the breaker of everything opens when that happens in several
// namespaces. Whether one is open must be known.
var breakerRule = rule{
	doc: Doc{ID: "breaker", Since: "v0.2", Severity: Hold, Title: "Breaker",
		Text: "While the breaker of the namespace, or the one of everything, is open, or nobody can say, nothing is done. Two actions that made it worse, or five that failed or did not help, within an hour open a namespace's; two open namespaces, or ten such actions, open the one of everything. Only a human closes them (moorgate breaker reset)."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		return m.lately(func(l Ledger, next Spent) string { return l.broken(next) })
	},
}

// broken says which open breaker is in the way; empty if none is.
func (l Ledger) broken(next Spent) string {
	for _, b := range l.Open {
		if b.Namespace == "" || b.Namespace == next.Namespace {
			return fmt.Sprintf("the breaker of %s is open since %s: %s", b.Scope(), b.Since.UTC().Format(time.RFC3339), b.Why)
		}
	}
	return ""
}

const (
	breakerWindow = time.Hour
	worsenedOpens = 2  // of a namespace
	badOpens      = 5  // of a namespace: failed, ineffective, worsened
	placesOpen    = 2  // namespaces with an open breaker, for everything
	badOpensAll   = 10 // of everything
)

// Scope is what the Breaker stops, in words.
func (b Breaker) Scope() string {
	if b.Namespace == "" {
		return "everything"
	}
	return "namespace " + b.Namespace
}

// Trips returns the breakers that the ledger's last hour opens, beyond those open already. What a human has looked at when
// closing one does not open it again.
func (l Ledger) Trips(at time.Time) []Breaker {
	var trips []Breaker
	open := map[string]bool{}
	for _, b := range l.Open {
		open[b.Namespace] = true
	}
	places := len(open) // where everything is open already, it makes no difference how many
	bad, worse, all := map[string]int{}, map[string]int{}, 0
	for _, s := range l.Entries { // oldest first, so that the same ledger trips in the same order
		if at.Sub(s.At) >= breakerWindow || !s.Result.Bad() || s.Forgiven {
			continue
		}
		all++
		bad[s.Namespace]++
		if s.Result == ResultWorsened {
			worse[s.Namespace]++
		}
		if !open[s.Namespace] && (worse[s.Namespace] >= worsenedOpens || bad[s.Namespace] >= badOpens) {
			open[s.Namespace] = true
			places++
			trips = append(trips, Breaker{Namespace: s.Namespace, Since: at,
				Why: fmt.Sprintf("%d actions within an hour failed or did not help, %d of them made it worse", bad[s.Namespace], worse[s.Namespace])})
		}
	}
	if !open[""] && (places >= placesOpen || all >= badOpensAll) {
		trips = append(trips, Breaker{Since: at, Why: fmt.Sprintf("%d namespaces have an open breaker, and %d actions within an hour failed or did not help", places, all)})
	}
	return trips
}
