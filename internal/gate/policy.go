package gate

// Mode is how much Moorgate may do by itself. The zero Mode only watches.
type Mode int

// The modes, most careful first.
const (
	Observe   Mode = iota // watch, judge, record; touch nothing
	Propose               // pull requests and messages, nothing live
	Approve               // live actions after a human's Approval
	Automatic             // live actions within bounds
)

var modeNames = [...]string{"Observe", "Propose", "Approve", "Automatic"}

func (m Mode) String() string { return nameOf(modeNames[:], int(m)) }

// MarshalText writes the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name; an unknown one reads as Observe.
func (m *Mode) UnmarshalText(b []byte) error {
	*m = Mode(indexOf(modeNames[:], string(b)))
	return nil
}

// Admission is what the webhook does with a verdict. The zero Admission only watches.
type Admission int

// The admission modes, quietest first.
const (
	AdmissionObserve Admission = iota // record the verdict, say nothing
	AdmissionWarn                     // let in, with warnings and annotations
	AdmissionEnforce                  // refuse what is denied
)

var admissionNames = [...]string{"Observe", "Warn", "Enforce"}

func (a Admission) String() string { return nameOf(admissionNames[:], int(a)) }

// MarshalText writes the admission mode's name.
func (a Admission) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an admission mode's name; an unknown one reads as Observe.
func (a *Admission) UnmarshalText(b []byte) error {
	*a = Admission(indexOf(admissionNames[:], string(b)))
	return nil
}

// Rail is one Guardrail as it applies to one subject: numbers and switches, no logic. A number that is not known is a
// threshold that cannot be met.
type Rail struct {
	Name      string    `json:"name"`
	Mode      Mode      `json:"mode"`
	Admission Admission `json:"admission"`
	// WarnBelow and DenyBelow are scores, 0 to 100.
	WarnBelow Fact[int] `json:"warnBelow"`
	DenyBelow Fact[int] `json:"denyBelow"`
	// ConfidenceBelow is the confidence, 0 to 100, under which a human must look.
	ConfidenceBelow Fact[int] `json:"confidenceBelow"`
	// DenyPending makes what is not there yet count towards a denial.
	DenyPending bool `json:"denyPending,omitempty"`
	// Paused holds the reasons for which this Guardrail is paused.
	Paused []string `json:"paused,omitempty"`
	// Unreadable says why the Guardrail could not be understood; nothing is allowed under such a one.
	Unreadable string `json:"unreadable,omitempty"`
}

// Policy is every Guardrail that applies to a subject. All of them speak and the most careful answer wins. The zero Policy
// permits nothing.
type Policy struct {
	Rails []Rail `json:"rails"`
}

// Admission is the loudest admission mode among the Guardrails: how far the answer may go at all. One that cannot be read
// is worth a warning.
func (p Policy) Admission() Admission {
	mode := AdmissionObserve
	for _, r := range p.Rails {
		if r.Unreadable != "" {
			mode = max(mode, AdmissionWarn)
		}
		mode = max(mode, r.Admission)
	}
	return mode
}

// Refuses reports whether a verdict under this policy refuses an admission: some Guardrail that enforces denies. One that is
// paused or cannot be read refuses nothing, and one that only observes or warns lends its numbers to nobody else's refusal.
func (p Policy) Refuses(v Verdict) bool {
	for _, r := range p.Rails {
		if r.Admission != AdmissionEnforce || len(r.Paused) > 0 || r.Unreadable != "" {
			continue
		}
		for _, reason := range v.Reasons {
			if reason.Guardrail == r.Name && reason.Decision == Deny {
				return true
			}
		}
	}
	return false
}
