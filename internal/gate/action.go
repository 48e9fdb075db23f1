package gate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Reach is how far an Action reaches into the world. The zero Reach is the furthest, so that an Action whose reach nobody
// stated is held like a live one.
type Reach int

// The reaches, furthest first.
const (
	ReachLive    Reach = iota // changes a workload in the cluster
	ReachGit                  // proposes a change in Git for people to merge
	ReachRestore              // takes back what Moorgate itself put onto one object, and nothing else
	ReachMark                 // writes moorgate.dev annotations on a rollout, and nothing else
	ReachAnswer               // answers an admission request; writes nothing
	ReachNothing              // does nothing, or tells somebody
)

var reachNames = [...]string{"live", "git", "restore", "mark", "answer", "nothing"}

func (r Reach) String() string { return nameOf(reachNames[:], int(r)) }

// MarshalText writes the reach's name.
func (r Reach) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a reach's name; an unknown one reads as live.
func (r *Reach) UnmarshalText(b []byte) error {
	*r = Reach(indexOf(reachNames[:], string(b)))
	return nil
}

// Edit is one field with the value it has and the value it should have, each as JSON; empty means absent.
type Edit struct {
	Path string `json:"path"` // as people write it: spec.template.spec.containers[name=app].image
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Action is one thing that may be done: an item on the menu.
type Action struct {
	ID     string `json:"id"`   // on the menu; all that an advisor may say
	Verb   string `json:"verb"` // admit, annotate, pull-request, evict, hold-delivery, escalate
	Reach  Reach  `json:"reach"`
	Target Ref    `json:"target"`
	Edits  []Edit `json:"edits,omitempty"`
	Base   string `json:"base,omitempty"` // the Git commit that the edits start from
	Text   string `json:"text,omitempty"` // one sentence for people
	// Workload is whom it is done to as people think of it, the root owner: what budgets and attempts are counted by. Empty:
	// the Target itself.
	Workload Ref `json:"workload,omitzero"`
	// Undo says how it is taken back, in words; empty: it cannot be.
	Undo string `json:"undo,omitempty"`
	// Request is the exact call that carries the Action out. It is made when acting: a plan that is merely weighed has none,
	// and without one there is no Permit. It is never read from JSON.
	Request *Request `json:"-"`
}

// Request is one exact call to the API server.
type Request struct {
	Method      string // POST, PATCH
	Path        string // with its query: /api/v1/namespaces/shop/pods/web-1/eviction
	ContentType string
	Body        []byte
}

// reach is how far an Action reaches. A Reach that does not exist is the furthest.
func (a Action) reach() Reach {
	if a.Reach > ReachNothing {
		return ReachLive
	}
	return max(a.Reach, ReachLive)
}

// victim is whom the Action counts against.
func (a Action) victim() Ref {
	if a.Workload.Name != "" {
		return a.Workload
	}
	return a.Target
}

// PlanDigest binds everything that the Action would do: verb, target with UID, each field with its old and new value, and
// the Git base. It is what an Approval is given for: it stays the same while the plan does, whatever else moves. The texts
// for people, the menu id and the Request are not part of it. It is "sha256:" and 64 hexadecimal digits.
func (a Action) PlanDigest() string {
	parts := append(make([]string, 0, 64), "moorgate plan v1", a.Verb, a.Reach.String(), a.Target.Group, a.Target.Version, a.Target.Kind,
		a.Target.Namespace, a.Target.Name, a.Target.UID, a.Base)
	for _, e := range a.Edits {
		parts = append(parts, e.Path, e.Old, e.New)
	}
	return digest(parts...)
}

// Digest binds the plan and the exact bytes that carry it out, with the resourceVersion or UID that they are bound to. It is
// what a Permit is good for. It is empty without a Request. The form is that of PlanDigest.
func (a Action) Digest() string {
	if a.Request == nil {
		return ""
	}
	return digest("moorgate action v1", a.PlanDigest(), a.Request.Method, a.Request.Path, a.Request.ContentType, string(a.Request.Body))
}

// digest hashes parts so that none can run into the next.
func digest(parts ...string) string {
	all := make([]byte, 0, 512)
	for _, p := range parts {
		all = binary.BigEndian.AppendUint64(all, uint64(len(p)))
		all = append(all, p...)
	}
	sum := sha256.Sum256(all)
	return string(hex.AppendEncode(append(make([]byte, 0, 71), "sha256:"...), sum[:]))
}

// Outcome is what came of an Action. The zero Outcome is unknown: nothing may be concluded and nothing is tried again.
type Outcome int

// The outcomes.
const (
	OutcomeUnknown Outcome = iota // asked for, and no answer came that could be trusted
	OutcomeDone                   // done, as far as its author can tell
	OutcomeRefused                // the world refused, and nothing changed
	OutcomeNothing                // there was nothing left to do
)

var outcomeNames = [...]string{"unknown", "done", "refused", "nothing"}

func (o Outcome) String() string { return nameOf(outcomeNames[:], int(o)) }

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's name; anything else reads as unknown.
func (o *Outcome) UnmarshalText(b []byte) error {
	*o = Outcome(indexOf(outcomeNames[:], string(b)))
	return nil
}

func nameOf(names []string, i int) string {
	if uint(i) < uint(len(names)) { // one that is negative is very large
		return names[i]
	}
	return names[0]
}

func indexOf(names []string, s string) int {
	for i, n := range names {
		if n == s {
			return i
		}
	}
	return 0
}
