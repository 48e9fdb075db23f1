package advise

import (
	"context"
	"time"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// Log is the audit log with its blobs.
type Log interface {
	flow.Log
	PutBlob(ctx context.Context, content []byte) (digest string, err error)
}

// Bench is one tier: a model and how it is asked.
type Bench struct {
	Model     Model
	Samples   int // how many times a question is asked, at least 1
	TokensIn  int // most tokens of a prompt
	TokensOut int // most tokens of an answer, with what the model thinks before it
}

// Panel asks models about what an advisor without one could not settle. Log, Door, Now, Terms and Triage are required.
type Panel struct {
	Triage Bench
	Expert Bench // the zero Bench: there is none
	Terms  map[gate.Face]prompts.Terms
	Log    Log
	Door   *redact.Door
	Now    func() time.Time
	// Patience is how long a question may take in all, samples, tiers and retries included. Default 60 s.
	Patience time.Duration
}
