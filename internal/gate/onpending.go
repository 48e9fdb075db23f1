package gate

import "time"

// OnPending is what a rollout gets that nothing speaks against but a model that has not been heard yet. The zero OnPending lets it
// in: a gate that waits for a stranger's word has to be wanted.
type OnPending int

// What a rollout gets while a model is being asked, most patient client last.
const (
	PendingWarn  OnPending = iota // let in, and the opinion follows
	PendingRetry                  // asked to come again
	PendingDeny                   // refused
)

var pendingNames = [...]string{"Warn", "Retry", "Deny"}

func (p OnPending) String() string { return nameOf(pendingNames[:], int(p)) }

// MarshalText writes the name.
func (p OnPending) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a name; an unknown one reads as Warn.
func (p *OnPending) UnmarshalText(b []byte) error {
	*p = OnPending(indexOf(pendingNames[:], string(b)))
	return nil
}

// OnPending is what all Guardrails say together that may refuse a rollout for a model's word: the most careful wins, and so
// does the longest wait. One that does not let a model deny waits for none.
func (p Policy) OnPending() (OnPending, time.Duration) {
	all, most := PendingWarn, time.Duration(0)
	for _, r := range p.Rails {
		if !r.enforces() || !r.DenyAdvised || r.OnPending == PendingWarn {
			continue
		}
		all, most = max(all, r.OnPending), max(most, r.PendingFor)
	}
	return all, most
}
