package advise

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// RecallAge is how old a memory may be where nothing else is said.
const RecallAge = 30 * 24 * time.Hour

// The bounds of a Recall that sets none.
const (
	recallPatience = 3 * time.Second
	recallOffered  = 3
	recallMost     = 500 // of what Past returns: the newest are looked at
	recallText     = 160 // bytes of each finding that is told
)

// Remembered is one Case that was acted on and verified. All texts in it may have been written by a stranger or a model.
type Remembered struct {
	Case      string // namespace/name
	Namespace string
	Face      gate.Face
	Reason    string // CrashLoop
	Key       string // what tells happenings apart
	Kind      string // of the subject
	Workload  string // the subject's name
	Container string // empty where it is not known
	Cause     string
	Rests     []string // the kinds of claims and checks that it rested on
	Findings  []string // what was found, in words
	Summary   string
	Verb      string // what was done
	Result    gate.Result
	At        time.Time // when it was verified
}

// Recall is an advisor that tells another of incidents like this one: what was found, what was done, how old that is and what came of
// it. It never answers by itself and never replays: what is told is one more piece of evidence of the lowest trust. It is told only where it
// holds now: the verb is on the menu, the cause is what the checks see, or they see none and what it rested on is seen now, it is of
// the same face and namespace, not too old, and its outcome was verified.
type Recall struct {
	Next flow.Advisor
	// Past returns what is remembered of a namespace, newest first.
	Past func(ctx context.Context, namespace string) ([]Remembered, error)
	Now  func() time.Time
	// MaxAge is how old a memory may be. Default 30 days. Patience is how long Past may take. Default 3 s.
	MaxAge   time.Duration
	Patience time.Duration
}

// Advise adds what is remembered to the evidence and asks Next.
func (r Recall) Advise(ctx context.Context, q flow.Question) gate.Assessment {
	within, cancel := context.WithTimeout(ctx, orDefault(r.Patience, recallPatience))
	past, err := r.Past(within, q.Signal.Subject.Namespace)
	cancel()
	now := r.Now()
	q.Evidence = slices.Clone(q.Evidence)
	if err != nil {
		q.Evidence = append(q.Evidence, gate.Evidence{ID: free(q.Evidence, 0), Source: "past Cases", At: now, Trust: gate.FromEvent,
			Unread: "what was done about incidents like this one before could not be read: " + gate.OneLine(err.Error(), recallText)})
		return r.Next.Advise(ctx, q)
	}
	for i, m := range Alike(q, past, now, orDefault(r.MaxAge, RecallAge)) {
		q.Evidence = append(q.Evidence, gate.Evidence{ID: free(q.Evidence, i+1), Source: "Case/" + gate.OneLine(m.Case, 320), At: m.At, Trust: gate.FromEvent, Text: m.told(now)})
	}
	return r.Next.Advise(ctx, q)
}

// free is an id that no evidence has yet: past-1, or the next number that is free.
func free(evidence []gate.Evidence, from int) string {
	for n := from; ; n++ {
		id := "past-" + strconv.Itoa(n)
		if n == 0 {
			id = "past"
		}
		if !slices.ContainsFunc(evidence, func(e gate.Evidence) bool { return e.ID == id }) {
			return id
		}
	}
}

var recalled = map[gate.Result]string{
	gate.ResultHealed:      "the workload was verified to have healed",
	gate.ResultIneffective: "it did not help",
	gate.ResultWorsened:    "WARNING: it made things worse",
}

// told is a memory in words.
func (m Remembered) told(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "A like incident %s ago: %s of %s/%s with cause %s. What was done: %s. What came of it: %s.", ageOf(now.Sub(m.At)),
		gate.OneLine(m.Reason, 64), gate.OneLine(m.Kind, 63), gate.OneLine(m.Workload, 253), m.Cause, m.Verb, recalled[m.Result])
	for i, f := range m.Findings {
		if i == 3 {
			break
		}
		fmt.Fprintf(&b, " Found then: %q.", gate.OneLine(f, recallText))
	}
	return b.String()
}

func ageOf(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	if d >= 2*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}
