package advise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// looks are what models said about one question, of which nothing is checked yet but its form.
type looks struct {
	triage    []Opinion
	expert    []Opinion
	unusable  int // answers that were no opinion, as far as models gave any
	escalated string
	failed    *Failure // why there is no opinion at all
}

// confidenceForTriage is the confidence under which triage is unsure.
const confidenceForTriage = 60

// ask asks the models, or remembers what they said about a question of the same shape, and makes an assessment of it.
func (p *Panel) ask(ctx context.Context, q flow.Question) gate.Assessment {
	said, remembered := p.Memory.recall(shape(q))
	if !remembered {
		said = p.Memory.share(ctx, shape(q), func() looks { return p.look(ctx, q) })
	}
	if said.failed != nil {
		return silent(said.failed.Error())
	}
	r, err := p.render(q, p.Triage.TokensIn)
	if err != nil {
		return silent(err.Error())
	}
	return p.conclude(q, r, said)
}

// look asks the tiers about a question.
func (p *Panel) look(ctx context.Context, q flow.Question) looks {
	var said looks
	r, err := p.render(q, p.Triage.TokensIn)
	if err != nil {
		return looks{failed: &Failure{Kind: FailedRequest, Text: err.Error()}}
	}
	triage := p.samples(ctx, q, r, Triage, p.Triage, "")
	said.triage, said.unusable, said.failed = triage.opinions, triage.unusable, triage.failed
	said.escalated = p.escalates(q, r, said)
	if said.escalated == "" {
		return said
	}
	if r, err = p.render(q, p.Expert.TokensIn); err != nil {
		return said
	}
	expert := p.samples(ctx, q, r, Expert, p.Expert, said.escalated)
	said.expert = expert.opinions
	said.unusable += expert.unusable
	if len(expert.opinions) > 0 {
		said.failed = nil
	} else if len(said.triage) == 0 && expert.failed != nil {
		said.failed = expert.failed
	}
	return said
}

// escalates says why the expert is asked; empty where it is not. An expert is of no use where nothing may be sent.
func (p *Panel) escalates(q flow.Question, r prompts.Rendered, said looks) string {
	switch {
	case p.Expert.Model == nil || q.Asking.Expert == gate.ExpertNever:
		return ""
	case said.failed != nil && !hopeful(said.failed):
		return ""
	case q.Asking.Expert == gate.ExpertAlways:
		return "the Guardrail asks the expert always"
	case said.failed != nil:
		return "triage gave no answer that could be used: " + string(said.failed.Kind)
	}
	for _, o := range said.triage {
		if o.Unsure {
			return "triage is unsure"
		}
	}
	a := p.conclude(q, r, said)
	if looks, known := a.Agreement.Get(); known && looks < 100 {
		return fmt.Sprintf("the samples of triage disagree: %d %% came to the same", looks)
	}
	if sure, known := a.Confidence.Get(); known && sure < confidenceForTriage {
		return fmt.Sprintf("the confidence in triage is %d, below %d", sure, confidenceForTriage)
	}
	return ""
}

// hopeful is whether another model may do where one failed: the failure was its answer's, and not the endpoint's or the budget's.
func hopeful(f *Failure) bool {
	switch f.Kind {
	case FailedAnswer, FailedCut, FailedRefusal, FailedFilter, FailedModel:
		return true
	}
	return false
}

// sampled is what came of asking one tier.
type sampled struct {
	opinions []Opinion
	unusable int
	failed   *Failure // the first, where no opinion came
}

// samples asks one model a question so many times, side by side. Where the only trouble is the form of the answers, once more.
func (p *Panel) samples(ctx context.Context, q flow.Question, r prompts.Rendered, tier Tier, b Bench, why string) sampled {
	s := p.round(ctx, q, r, tier, b, why, max(b.Samples, 1), 1)
	if len(s.opinions) == 0 && s.failed != nil && s.failed.Kind == FailedAnswer && ctx.Err() == nil {
		again := p.round(ctx, q, r, tier, b, why, 1, max(b.Samples, 1)+1)
		again.unusable += s.unusable
		return again
	}
	return s
}

func (p *Panel) round(ctx context.Context, q flow.Question, r prompts.Rendered, tier Tier, b Bench, why string, n, from int) sampled {
	opinions, failures := make([]*Opinion, n), make([]*Failure, n)
	var asking sync.WaitGroup
	for i := range n {
		asking.Go(func() {
			o, err := p.one(ctx, Prompt{Case: q.Case, Namespace: q.Facts.Subject.Namespace, Face: q.Signal.Face, Name: r.Name, Tier: tier, Sample: from + i, Escalated: why,
				System: r.System, User: r.User, Schema: r.Schema, MaxTokens: b.TokensOut, Asking: q.Asking}, b.Model, r, q)
			if err != nil {
				failures[i] = err
				return
			}
			opinions[i] = &o
		})
	}
	asking.Wait()
	var s sampled
	for i := range n {
		switch {
		case opinions[i] != nil:
			s.opinions = append(s.opinions, *opinions[i])
			continue
		case hopeful(failures[i]):
			s.unusable++
		}
		if s.failed == nil {
			s.failed = failures[i]
		}
	}
	if len(s.opinions) > 0 {
		s.failed = nil
	}
	return s
}

// one is one answer, read and found to name nothing that it was not offered.
func (p *Panel) one(ctx context.Context, prompt Prompt, m Model, r prompts.Rendered, q flow.Question) (o Opinion, failed *Failure) {
	defer func() {
		if fault := recover(); fault != nil {
			failed = &Failure{Kind: FailedContent, Text: fmt.Sprintf("asking failed by a fault of Moorgate's own: %v", fault)}
		}
	}()
	a, err := m.Ask(ctx, prompt)
	if err != nil {
		if errors.As(err, &failed) {
			return o, failed
		}
		return o, &Failure{Kind: FailedContent, Text: gate.OneLine(err.Error(), 200)}
	}
	if o, err = ParseOpinion(a.Text, r.Local); err != nil {
		return o, &Failure{Kind: FailedAnswer, Text: gate.OneLine(err.Error(), 200), Usage: a.Usage, MicroUSD: a.MicroUSD}
	}
	if why := void(o, p.Terms[q.Signal.Face].Causes, q.Facts.Menu); why != "" {
		return o, &Failure{Kind: FailedAnswer, Text: why, Usage: a.Usage, MicroUSD: a.MicroUSD}
	}
	return o, nil
}

// render puts a question into words. The boundary around what strangers wrote is the same for the same question, so that a recorded
// answer can be replayed, and nobody without the door's key can guess it.
func (p *Panel) render(q flow.Question, tokens int) (prompts.Rendered, error) {
	var all strings.Builder
	all.WriteString(q.Case + "\x00" + q.Shape)
	for _, e := range q.Evidence {
		all.WriteString("\x00" + e.ID + "\x00" + e.Text)
	}
	r, err := prompts.Render(q, p.Terms[q.Signal.Face], tokens, p.Door.Mark(all.String()))
	if err != nil {
		return r, fmt.Errorf("put the question into words: %w", err)
	}
	return r, nil
}
