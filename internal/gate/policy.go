package gate

import (
	"encoding/json"
	"time"
)

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
	// AgreementBelow is the agreement, 0 to 100, under which a human must look before anything is done.
	AgreementBelow Fact[int] `json:"agreementBelow,omitzero"`
	// HistoryBelow is the share, 0 to 100, of healed cases that we must be sure of (Wilson lower bound, 95 %) to act live
	// without asking.
	HistoryBelow Fact[int] `json:"historyBelow,omitzero"`
	// Actions are all that may be done, live or in Git. Empty: nothing.
	Actions []Permitted `json:"actions,omitempty"`
	// Drift is which way drift may be settled.
	Drift Settling `json:"drift,omitzero"`
	// Budgets bound how many actions may be started.
	Budgets Budgets `json:"budgets,omitzero"`
	// Restraint holds the brakes.
	Restraint Restraint `json:"restraint,omitzero"`
	// Freezes are the intervals in which nothing is changed live, and rollouts are told of it.
	Freezes []Interval `json:"freezes,omitempty"`
	// Approvers is how many different humans must approve a plan before it is done live, in whatever mode. In Approve it is
	// one at least.
	Approvers Fact[int] `json:"approvers,omitzero"`
	// Asking is when a model is asked and what it may cost.
	Asking Asking `json:"asking,omitzero"`
	// DenyAdvised makes what a model found count towards the denial of a rollout.
	DenyAdvised bool `json:"denyAdvised,omitempty"`
	// DenyFrozen keeps rollouts out while one of Freezes lasts.
	DenyFrozen bool `json:"denyFrozen,omitempty"`
	// DenyPending makes what is not there yet count towards a denial.
	DenyPending bool `json:"denyPending,omitempty"`
	// OnPending is what a rollout gets while a model that may deny it is being asked, for PendingFor at most.
	OnPending  OnPending     `json:"onPending,omitzero"`
	PendingFor time.Duration `json:"pendingFor,omitempty"`
	// Silences are what is left alone for a while.
	Silences []Silence `json:"silences,omitempty"`
	// Paused holds the reasons for which this Guardrail is paused.
	Paused []string `json:"paused,omitempty"`
	// Unreadable says why the Guardrail could not be understood; nothing is allowed under such a one.
	Unreadable string `json:"unreadable,omitempty"`
}

// Permitted is one kind of action that may be done, with its bounds.
type Permitted struct {
	Verb   string   `json:"verb"`
	Kinds  []string `json:"kinds,omitempty"` // of the target; empty: any
	Bounds []Bound  `json:"bounds,omitempty"`
	// Irreversible lets it be done without asking although it cannot be taken back.
	Irreversible bool `json:"irreversible,omitempty"`
}

// Bound bounds the new value of one field. A value that is no quantity is out of bounds. A number that is not known does not
// bind.
type Bound struct {
	Field string `json:"field"` // the end of the edited path: replicas, resources.limits[memory]
	// Min and Max bound the new value: quantities as Kubernetes writes them (500m, 2Gi).
	Min string `json:"min,omitempty"`
	Max string `json:"max,omitempty"`
	// Change is by how many percent of the old value the new one may differ; 0: by any.
	Change int `json:"change,omitempty"`
}

// Budgets are how many actions may be started under a Guardrail: in all, in one namespace, and on one workload.
type Budgets struct {
	Total     Budget `json:"total,omitzero"`
	Namespace Budget `json:"namespace,omitzero"`
	Workload  Budget `json:"workload,omitzero"`
}

// Budget is a number of actions in any window of the given length. The zero Budget lets none start.
type Budget struct {
	Actions int           `json:"actions"`
	Window  time.Duration `json:"window"`
}

// Restraint holds the brakes of a Guardrail. Zero values brake hardest.
type Restraint struct {
	// MinHealthy is the share, in percent, of the namespace's pods that must be well for a live action.
	MinHealthy Fact[int] `json:"minHealthy,omitzero"`
	// Storm is how many new Cases in the cluster within StormWindow stop live actions; 0: any.
	Storm Fact[int] `json:"storm,omitzero"`
	// Wait is how long a happening must have lasted before a live action; at least WaitLeast.
	Wait time.Duration `json:"wait,omitempty"`
	// Fresh is how old the evidence may be when acting.
	Fresh time.Duration `json:"fresh,omitempty"`
	// Attempts is how many actions one workload gets within AttemptsWindow.
	Attempts int `json:"attempts,omitempty"`
	// CoolDown is how long the same action on the same target waits; at least CoolDownLeast.
	CoolDown time.Duration `json:"coolDown,omitempty"`
}

// Interval is a time in which nothing is changed, from From up to and not including To.
type Interval struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

// Policy is every Guardrail that applies to a subject. All of them speak and the most careful answer wins. The zero Policy
// permits nothing.
type Policy struct {
	Rails []Rail `json:"rails"`
}

// Digest is a hash of everything that the policy says: "sha256:" and 64 hexadecimal digits.
func (p Policy) Digest() string {
	b, err := json.Marshal(p)
	if err != nil {
		return "" // plain data can always be written
	}
	return digest("moorgate policy v1", string(b))
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
		if !r.enforces() {
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

// enforces reports whether a Guardrail may refuse a rollout.
func (r Rail) enforces() bool {
	return r.Admission == AdmissionEnforce && len(r.Paused) == 0 && r.Unreadable == ""
}

// Tells reports whether the answer to an admission request speaks of a reason: it comes from a Guardrail that warns or
// enforces, from one that cannot be read, or from none. One that only observes is on trial, and what it would say is told to
// nobody.
func (p Policy) Tells(reason Reason) bool {
	if p.Admission() < AdmissionWarn {
		return false
	}
	for _, r := range p.Rails {
		if r.Name == reason.Guardrail && r.Admission < AdmissionWarn && r.Unreadable == "" {
			return false
		}
	}
	return true
}
