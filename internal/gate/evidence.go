package gate

import "time"

// Trust says how far the text of a piece of evidence may be believed.
type Trust string

// The trust classes, most trustworthy first. Everything but FromAPI is text that somebody else wrote.
const (
	FromAPI    Trust = "api"    // state read from the API server
	FromGit    Trust = "git"    // content of a repository
	FromMetric Trust = "metric" // a number from a metrics source
	FromEvent  Trust = "event"  // the note of an Event
	FromLog    Trust = "log"    // a container's output
)

// Evidence is one thing that was read, or that should have been and could not be.
type Evidence struct {
	ID     string    `json:"id"`     // unique within one question; findings cite it
	Source string    `json:"source"` // what was read: "ResourceQuota/compute"
	At     time.Time `json:"at"`     // when it was true, as far as known
	Trust  Trust     `json:"trust"`
	Text   string    `json:"text,omitempty"`
	// Unread says why the evidence is missing. It is empty for evidence that was read.
	Unread string `json:"unread,omitempty"`
	// Size is how many bytes the whole has, where Text is only a part of it; 0: Text is the whole.
	Size int `json:"size,omitempty"`
	// Left says in words what was left out of Text; empty where nothing was.
	Left string `json:"left,omitempty"`
	// Blob is the digest of the whole, where Text is only its beginning: "sha256:" and 64 hexadecimal digits.
	Blob string `json:"blob,omitempty"`
}

// Facts are the world at one instant, as far as the rules need it. The zero Facts are unknown throughout.
type Facts struct {
	At      time.Time `json:"at"`
	Subject Ref       `json:"subject"`
	// Symptom is what is visibly wrong with the subject, by a word of a closed list; empty: it is about something else.
	Symptom string `json:"symptom,omitempty"`
	// Namespace holds the labels of the subject's namespace.
	Namespace Fact[map[string]string] `json:"namespace,omitzero"`
	// Menu is all that may be chosen. Code writes it; an advisor can only pick from it.
	Menu []Action `json:"menu,omitempty"`
	// Paused holds the reasons why somebody stopped Moorgate; known and empty means not paused.
	Paused Fact[[]string] `json:"paused"`
	// Rollback is whether the change returns to an earlier revision of the same workload.
	Rollback Fact[bool] `json:"rollback"`
	// Failing is whether the workload fails as it runs now, so that a change may well be its cure.
	Failing Fact[bool] `json:"failing"`
	// Brings is whether the change starts pods of another template than the workload has: what a freeze is about.
	Brings Fact[bool] `json:"brings,omitzero"`
	// Unread names the evidence that was looked for and could not be read.
	Unread []string `json:"unread,omitempty"`
	// Unheard says that a model is being asked about a rollout, and has not been heard yet. Empty: nobody's word is waited for.
	Unheard string `json:"unheard,omitempty"`

	// What follows is asked for by the rules about acting only.

	// Since is when the happening was first seen.
	Since Fact[time.Time] `json:"since,omitzero"`
	// Oldest is when the oldest evidence that the choice rests on was true.
	Oldest Fact[time.Time] `json:"oldest,omitzero"`
	// Drift is what a drift looks like to the rules, by its cause; known and empty: it is not about a drift.
	Drift Fact[string] `json:"drift,omitzero"`
	// Owner is who else writes the target.
	Owner Fact[Owner] `json:"owner,omitzero"`
	// Health is how many pods of the subject's namespace are well.
	Health Fact[Share] `json:"health,omitzero"`
	// Storm is how many Cases of drift or failure were opened in the whole cluster in the last StormWindow. A rollout that
	// somebody asks for is no storm.
	Storm Fact[int] `json:"storm,omitzero"`
	// Ledger is what was spent lately.
	Ledger Fact[Ledger] `json:"ledger,omitzero"`
	// History is what came of the chosen verb for this cause before.
	History Fact[Tally] `json:"history,omitzero"`
	// Approvals are the words of humans on this Case.
	Approvals Fact[[]Approval] `json:"approvals,omitzero"`
}
