// Package flow is the pipeline that all three faces run through: Judge turns a question into a verdict and records it. Act
// looks and decides again, and carries out one permitted action between a durable intent and its outcome: reserved in the
// budgets before the intent, claimed on its Case after it, and settled once the outcome is written. Where any of these fails,
// or somebody else was first, nothing is done.
//
// The faces look at the world (observe, collect) and build the Question; flow never reads a cluster, a repository or a
// clock itself. It never does anything that was not first durably written down, and it never decides: gate does.
package flow

import (
	"context"
	"fmt"

	"moorgate.dev/internal/gate"
)

// Question is one happening with what was found out about it: everything a verdict is made from but opinion and policy.
type Question struct {
	Signal    gate.Signal
	Case      string // correlation: namespace/name of the Case
	Facts     gate.Facts
	Evidence  []gate.Evidence
	OffRecord bool // a dry run or a review: judged the same way, leaving no record

	// What follows is for a model, and no part of the record.

	// Claims are statements about the subject that code has checked, so that what a model claims can be held against them. One
	// that is not here was not checked.
	Claims map[Claim]gate.Fact[bool]
	// Shape is what an answer rests on, without what changes from one look to the next: questions of one face with the same
	// Shape may share an answer. Empty: nobody shares.
	Shape string
	// Asking is what the policy says about asking a model, and Checks what the advisor without a model said. Judge and the
	// advisors that ask others fill them in.
	Asking gate.Asking
	Checks gate.Assessment
}

// Claim is a statement that code can check: Kind from a closed list of its face, and what it is about.
type Claim struct {
	Kind   string `json:"kind"`   // missing
	Object string `json:"object"` // Secret/db
}

// Advisor has opinions. Checks, causes and drift rules are advisors without a model in them. An advisor that has nothing
// to say answers with Silent; it never fails.
type Advisor interface {
	Advise(ctx context.Context, q Question) gate.Assessment
}

// Beside makes an advisor that asks a model beside the given one, which has no model in it: advise.Panel.Beside. A face that has
// none is advised by its own advisor alone.
type Beside func(checks Advisor) Advisor

// Of is the advisor to ask. A nil Beside asks no model, and says so.
func (b Beside) Of(checks Advisor) Advisor {
	if b != nil {
		return b(checks)
	}
	return AdvisorFunc(func(ctx context.Context, q Question) gate.Assessment {
		a := checks.Advise(ctx, q)
		a.Alone = "no model is configured"
		return a
	})
}

// AdvisorFunc is a function that is an Advisor.
type AdvisorFunc func(ctx context.Context, q Question) gate.Assessment

// Advise calls f.
func (f AdvisorFunc) Advise(ctx context.Context, q Question) gate.Assessment { return f(ctx, q) }

// Log takes Records. When Append returns without error, an intent is on stable storage and survives power loss; any other
// record is written in order, and on stable storage soon. A Log that cannot write says so; it never drops in silence.
type Log interface {
	Append(ctx context.Context, r gate.Record) (gate.Position, error)
}

// Actor carries out one action under a Permit: it spends the Permit for exactly the plan it is given before it touches the
// world, and refuses if it cannot. An error says that the outcome is what it is for that reason.
type Actor interface {
	Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error)
}

// Judgement is a decided question.
type Judgement struct {
	Question   Question
	Policy     gate.Policy
	Assessment gate.Assessment
	Verdict    gate.Verdict
	Position   gate.Position // where the record stands; nowhere if OffRecord or if recording failed
}

// Judge asks the advisor, lets the guardrail decide, and records the verdict. The Judgement is complete even when the
// recording failed; the error then says so, and the caller decides what an unrecorded verdict is worth.
func Judge(ctx context.Context, log Log, q Question, p gate.Policy, a Advisor) (Judgement, error) {
	q.Asking = p.Asking()
	opinion := a.Advise(ctx, q)
	j := Judgement{Question: q, Policy: p, Assessment: opinion, Verdict: gate.Decide(p, opinion, q.Facts)}
	if q.OffRecord {
		return j, nil
	}
	var err error
	if j.Position, err = log.Append(ctx, j.record()); err != nil {
		return j, fmt.Errorf("record the verdict on %s: %w", q.Signal.Subject, err)
	}
	return j, nil
}

// Chosen returns the first chosen action, if it is on the menu.
func (j Judgement) Chosen() (gate.Action, bool) {
	if len(j.Assessment.Choice) == 0 {
		return gate.Action{}, false
	}
	for _, a := range j.Question.Facts.Menu {
		if a.ID == j.Assessment.Choice[0] {
			return a, true
		}
	}
	return gate.Action{}, false
}
