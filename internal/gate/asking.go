package gate

// Ask says when a model is asked. The zero Ask asks none.
type Ask int

// When a model is asked, most sparing first.
const (
	AskNever     Ask = iota
	AskUnsettled     // what the advisors without a model could not settle
	AskAlways
)

var askNames = [...]string{"Never", "Unsettled", "Always"}

func (a Ask) String() string { return nameOf(askNames[:], int(a)) }

// MarshalText writes the name.
func (a Ask) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a name; an unknown one reads as Never.
func (a *Ask) UnmarshalText(b []byte) error {
	*a = Ask(indexOf(askNames[:], string(b)))
	return nil
}

// Expert says when the expert model is asked after the one that triages. The zero Expert is never asked.
type Expert int

// When the expert is asked, most sparing first.
const (
	ExpertNever  Expert = iota
	ExpertUnsure        // where triage is unsure or its samples disagree
	ExpertAlways
)

var expertNames = [...]string{"Never", "Unsure", "Always"}

func (e Expert) String() string { return nameOf(expertNames[:], int(e)) }

// MarshalText writes the name.
func (e Expert) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads a name; an unknown one reads as Never.
func (e *Expert) UnmarshalText(b []byte) error {
	*e = Expert(indexOf(expertNames[:], string(b)))
	return nil
}

// Asking is what a Guardrail says about asking models. The zero Asking asks none.
type Asking struct {
	Ask    Ask    `json:"ask"`
	Expert Expert `json:"expert"`
	// CaseTokens is how many tokens, in and out, one Case may cost in all, and NamespaceTokens how many all Cases of a namespace
	// may cost in a day (UTC). 0: none.
	CaseTokens      int `json:"caseTokens,omitempty"`
	NamespaceTokens int `json:"namespaceTokens,omitempty"`
}

// Asking is what all Guardrails say together: the most sparing wins. Without any, or under one that cannot be read, no model
// is asked.
func (p Policy) Asking() Asking {
	var all Asking
	for i, r := range p.Rails {
		a := r.Asking
		if r.Unreadable != "" {
			a = Asking{}
		}
		if i == 0 {
			all = a
			continue
		}
		all = Asking{Ask: min(all.Ask, a.Ask), Expert: min(all.Expert, a.Expert),
			CaseTokens: min(all.CaseTokens, a.CaseTokens), NamespaceTokens: min(all.NamespaceTokens, a.NamespaceTokens)}
	}
	return all
}
