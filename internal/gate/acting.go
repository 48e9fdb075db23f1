package gate

import "time"

// The least restraint, compiled in: a Guardrail may ask for more, never for less.
const (
	WaitLeast      = 30 * time.Second // much heals by itself
	CoolDownLeast  = 5 * time.Minute  // the same action on the same target
	StormWindow    = 10 * time.Minute
	AttemptsWindow = 24 * time.Hour
)

// LedgerKeeps is how long the ledger keeps what was spent: as long as any rule looks back.
const LedgerKeeps = 24 * time.Hour

// each weighs every chosen action that reaches at least as far as the given reach, and returns the most careful answer with
// the first reason for it. A choice that is not on the menu is weighed as an action of which nothing is known.
func each(a Assessment, f Facts, reach Reach, weigh func(Action) (Decision, string)) (Decision, string) {
	decision, why := Allow, ""
	for _, id := range a.Choice {
		chosen, _ := onMenu(f.Menu, id)
		if chosen.reach() > reach {
			continue
		}
		if d, reason := weigh(chosen); d < decision {
			decision, why = d, reason
		}
	}
	return decision, why
}

// lately weighs every chosen action that reaches Git or further against what was done lately, which must be known. weigh says
// what speaks against one more entry in the ledger; empty if nothing does.
func lately(a Assessment, f Facts, weigh func(l Ledger, next Spent) string) (Decision, string) {
	return each(a, f, ReachGit, func(x Action) (Decision, string) {
		l, why := entries(f)
		if why == "" {
			why = weigh(l, NewSpent(Policy{}, x, a.Cause))
		}
		if why != "" {
			return Hold, why
		}
		return Allow, ""
	})
}

// acts reports whether anything chosen reaches at least as far as the given reach.
func acts(a Assessment, f Facts, reach Reach) bool {
	return len(a.Choice) > 0 && furthest(a, f) <= reach
}

// age is how long ago t was, and why that cannot be said, if so. What lies in the future has no age.
func age(f Facts, t Fact[time.Time], what string) (time.Duration, string) {
	at, known := t.Get()
	switch {
	case f.At.IsZero():
		return 0, "what time it is is not known"
	case !known:
		return 0, what + " is not known: " + t.Why()
	case at.IsZero():
		return 0, what + " is not known: it has no time"
	case at.After(f.At):
		return 0, what + " lies in the future: " + at.UTC().Format(time.RFC3339)
	}
	return f.At.Sub(at), ""
}

// entries is the ledger, and why nothing may be concluded from it, if so.
func entries(f Facts) (Ledger, string) {
	l, known := f.Ledger.Get()
	switch {
	case f.At.IsZero():
		return Ledger{}, "what time it is is not known"
	case !known:
		return Ledger{}, "what was done lately is not known: " + f.Ledger.Why()
	}
	return l, l.partial()
}
