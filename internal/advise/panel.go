package advise

import (
	"context"
	"fmt"
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

// Panel asks models about what an advisor without one could not settle. Door, Now, Terms and Triage are required.
type Panel struct {
	Triage Bench
	Expert Bench // the zero Bench: there is none
	Terms  map[gate.Face]prompts.Terms
	Door   *redact.Door
	Now    func() time.Time
	// Memory shares answers among questions of one shape. nil: each is asked by itself.
	Memory *Memory
	// Past is what is remembered of a namespace, for Recall. nil: nothing is.
	Past func(ctx context.Context, namespace string) ([]Remembered, error)
	// Patience is how long a question may take in all, samples, tiers and retries included. Default 60 s.
	Patience time.Duration
}

const patience = 60 * time.Second

// Beside makes an advisor that asks the models beside the given one, where the Guardrails let it and that one left something open,
// and takes the more careful of both. Whatever goes wrong, it is the given one's opinion, in time, with why it stands alone.
func (p *Panel) Beside(checks flow.Advisor) flow.Advisor {
	return flow.AdvisorFunc(func(ctx context.Context, q flow.Question) gate.Assessment {
		a := checks.Advise(ctx, q)
		if a.Alone = p.declines(q, a); a.Alone != "" {
			return a
		}
		q.Checks = a
		return Lower(a, p.advise(ctx, q), q.Facts.Menu)
	})
}

// declines says why no model is asked about a question; empty where one is.
func (p *Panel) declines(q flow.Question, a gate.Assessment) string {
	if asks, why := flow.Asks(q.Asking, a); !asks {
		return why
	}
	if p.Triage.Model == nil {
		return "no model is configured"
	}
	if _, ok := p.Terms[q.Signal.Face]; !ok {
		return fmt.Sprintf("there is no question for %s", q.Signal.Face)
	}
	if _, remembered := p.Memory.recall(shape(q)); q.OffRecord && !remembered {
		return "off the record no model is asked"
	}
	return ""
}

// Advise asks the models, whatever the Guardrails say about when to ask. It answers within Patience.
func (p *Panel) advise(ctx context.Context, q flow.Question) gate.Assessment {
	limit := p.Patience
	if limit <= 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan gate.Assessment, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				answer <- silent(fmt.Sprintf("asking a model failed by a fault of Moorgate's own: %v", fault))
			}
		}()
		var asked flow.Advisor = flow.AdvisorFunc(p.ask)
		if p.Past != nil {
			asked = Recall{Next: asked, Past: p.Past, Now: p.Now}
		}
		answer <- asked.Advise(ctx, q)
	}()
	select {
	case a := <-answer:
		return a
	case <-ctx.Done(): // a Model that does not listen is not waited for
		select {
		case a := <-answer:
			return a
		default:
		}
		return silent(fmt.Sprintf("no model answered within %s", limit))
	}
}

// silent is the opinion of models that have none.
func silent(why string) gate.Assessment {
	return gate.Assessment{Advisor: advisorName, Silent: gate.OneLine(why, 400)}
}

const advisorName = "model"
