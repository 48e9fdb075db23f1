package advise

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"moorgate.dev/internal/gate"
)

// Tier says which of the two models is asked.
type Tier string

// The tiers.
const (
	Triage Tier = "triage" // cheap, asked first
	Expert Tier = "expert" // asked where triage is unsure
)

// Prompt is one call to a model.
type Prompt struct {
	Case      string // namespace/name, for the audit log and the budgets
	Namespace string
	Face      gate.Face
	Name      string // of the prompt, with its version: incident@1
	Tier      Tier
	Sample    int    // from 1
	Escalated string // why the expert is asked
	// System is the same for all questions of one kind, so that endpoints can cache it; User holds what is particular.
	System, User string
	// Schema is the JSON schema of the answer.
	Schema json.RawMessage
	// MaxTokens bounds the answer, with what the model thinks before it.
	MaxTokens int
	// Asking holds the budgets of the Guardrail.
	Asking gate.Asking
}

// Usage are tokens as the endpoint counted them. Cached are part of In.
type Usage struct {
	In, Cached, Out int
}

// Total is what budgets count.
func (u Usage) Total() int { return u.In + u.Out }

// Answer is what a model said.
type Answer struct {
	Text       string
	Model      string // as the endpoint calls it
	Usage      Usage
	MicroUSD   int64
	Parameters map[string]string // that it was asked with: temperature, seed
	Degraded   []string          // what the endpoint could not do, in words: "no strict schema"
	Took       time.Duration
}

// Model answers prompts. An error is always a *Failure. It is safe for use by several goroutines.
type Model interface {
	Ask(ctx context.Context, p Prompt) (Answer, error)
}

// ModelFunc is a function that is a Model.
type ModelFunc func(ctx context.Context, p Prompt) (Answer, error)

// Ask calls f.
func (f ModelFunc) Ask(ctx context.Context, p Prompt) (Answer, error) { return f(ctx, p) }

// FailureKind says what kind of failure it was that there is no answer, as a stable word for metrics and breakers.
type FailureKind string

// The kinds of failure. Those of Fault are the endpoint's: the breaker counts them.
const (
	FailedKey         FailureKind = "unauthorized"     // 401, 403
	FailedModel       FailureKind = "model-not-found"  // 404 and what endpoints say instead
	FailedRequest     FailureKind = "bad-request"      // 400, 422: it does not understand what was asked
	FailedRate        FailureKind = "rate-limited"     // 429
	FailedQuota       FailureKind = "quota-exceeded"   // 429 that waiting does not cure
	FailedServer      FailureKind = "server-error"     // 5xx
	FailedReach       FailureKind = "unreachable"      // no route, refused, DNS
	FailedTLS         FailureKind = "tls"              // a certificate that is not trusted
	FailedTime        FailureKind = "timeout"          // no answer within the deadline
	FailedRedirect    FailureKind = "redirected"       // it points elsewhere: not followed
	FailedContent     FailureKind = "not-the-protocol" // wrong media type, an error body with 200, no choices, too large
	FailedCut         FailureKind = "cut"              // finish reason length, or the connection ended
	FailedFilter      FailureKind = "content-filter"   // the endpoint's filter held it back
	FailedRefusal     FailureKind = "refusal"          // the model declined
	FailedAnswer      FailureKind = "malformed"        // no JSON, not of the schema, duplicate keys
	FailedBudget      FailureKind = "budget"           // a budget of tokens or money is spent: nothing was sent
	FailedConcurrency FailureKind = "busy"             // too many calls at once, or too many a minute: nothing was sent
	FailedBreaker     FailureKind = "breaker"          // the endpoint failed lately: nothing was sent
	FailedRecord      FailureKind = "unrecorded"       // the audit log could not be written: nothing was sent
	FailedCassette    FailureKind = "not-on-cassette"  // replaying, and this was never recorded
)

// Failure is why there is no answer. Text is a sentence for an operator that says what to do; it never holds a key or what the
// endpoint said in words beyond one redacted line.
type Failure struct {
	Kind       FailureKind
	Text       string
	RetryAfter time.Duration // what the endpoint asked for; 0: nothing
	Usage      Usage         // what it cost all the same
	MicroUSD   int64
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Kind, f.Text) }

// Fault is whether the failure is the endpoint's, so that asking it again soon is of no use.
func (f *Failure) Fault() bool {
	switch f.Kind {
	case FailedBudget, FailedConcurrency, FailedBreaker, FailedRecord, FailedCassette, FailedRefusal, FailedFilter, FailedAnswer, FailedCut:
		return false
	}
	return true
}
