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

// age is how long ago t was, and why that cannot be said, if so. What lies in the future has no age.
func age(now time.Time, t Fact[time.Time], what string) (time.Duration, string) {
	at, known := t.Get()
	switch {
	case now.IsZero():
		return 0, "the time is not known"
	case !known:
		return 0, what + " is not known: " + t.Why()
	case at.IsZero():
		return 0, what + " is not known: it has no time"
	case at.After(now):
		return 0, what + " lies in the future: " + at.UTC().Format(time.RFC3339)
	}
	return now.Sub(at), ""
}
