package advise

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)

// orders are words that speak to a model and not of a workload. They are a net with wide meshes and no control: what holds is that
// a memory is shown as a stranger's text, and that only what is on the menu can be chosen.
var orders = regexp.MustCompile(`(?i)(ignore|disregard|forget)\W+(\w+\W+){0,3}(instruction|previous|prior|above|rule)|system\W{0,2}(prompt|message)|(^|\W)(assistant|system|user)\s*:|<\|.*\|>|\[/?INST\]|</?(system|assistant|evidence|instructions?)>|you (must|should|are now|will) |(choose|pick|answer|respond|reply|return|set)\W+(\w+\W+){0,3}(menu|confidence|score|json|choice|action)`)

// rejects says why a memory may not be told about a question; empty if it may.
func rejects(q flow.Question, m Remembered, now time.Time, oldest time.Duration) string {
	s := q.Signal
	switch {
	case m.Face != s.Face:
		return "it is of another face"
	case m.Namespace == "" || m.Namespace != s.Subject.Namespace || !strings.HasPrefix(m.Case, m.Namespace+"/"):
		return "it is of another namespace"
	case m.Case == q.Case:
		return "it is this very Case"
	case !m.Result.Verified():
		return "its outcome was not verified"
	case m.At.IsZero() || m.At.After(now):
		return "nobody knows when it was"
	case now.Sub(m.At) > oldest:
		return fmt.Sprintf("it is older than %s", oldest)
	case !plainWord.MatchString(m.Cause) || !plainWord.MatchString(m.Verb):
		return "its cause or its verb is no word"
	case !slices.ContainsFunc(q.Facts.Menu, func(a gate.Action) bool { return a.Verb == m.Verb }):
		return "what was done then is not on the menu now"
	case slices.ContainsFunc(m.texts(), func(t string) bool { return orders.MatchString(t) }):
		return "it holds words that speak to a model"
	}
	return untrue(q, m)
}

// untrue says why a memory does not hold now.
func untrue(q flow.Question, m Remembered) string {
	seen := q.Checks.Cause
	switch {
	case seen == "":
		return "the checks see no cause that it could be held against"
	case seen != gate.CauseOther && m.Cause != seen:
		return "its cause is not what the checks see now"
	case seen != gate.CauseOther:
		return ""
	case len(m.Rests) == 0:
		return "it rests on nothing that could be checked now"
	}
	for _, kind := range m.Rests {
		if !holds(q, kind) {
			return "what it rested on does not hold now"
		}
	}
	return ""
}

// holds is whether a claim of that kind is known to be true now, or the checks found it.
func holds(q flow.Question, kind string) bool {
	for claim, f := range q.Claims {
		if is, known := f.Get(); known && is && claim.Kind == kind {
			return true
		}
	}
	return slices.ContainsFunc(q.Checks.Findings, func(f gate.Finding) bool { return f.ID == kind && f.Nature != gate.Advised })
}

// texts are all words of a memory that somebody else may have written.
func (m Remembered) texts() []string {
	return append(slices.Clone(m.Findings), m.Summary, m.Reason, m.Kind, m.Workload, m.Container)
}
