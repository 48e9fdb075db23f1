package acting

import (
	"context"
	"errors"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// ErrGone says that what a Case tells of is not there any more, or is not what it was.
var ErrGone = errors.New("what the Case tells of is gone")

// Face is what one face knows of acting on its own Cases. Its methods are called one at a time.
type Face interface {
	// Name is the face whose Cases these are, and Reach how far what is done about them reaches.
	Name() gate.Face
	Reach() gate.Reach
	// Ours is whether a Case is what its name says, and Over whether what it tells of is over, so that nothing is begun.
	Ours(c *v1alpha1.Case) bool
	Over(c *v1alpha1.Case) bool
	// See looks at what a Case tells of, for doing the plan with that digest, which is all that is taken from the Case. live looks
	// without any cache, and the action on the menu that is the plan carries its Request. An error that is ErrGone means that there
	// is nothing to look at.
	See(ctx context.Context, c *v1alpha1.Case, plan string, live bool) (View, error)
	// Tell says in one sentence, for the Case, how doing a plan came out.
	Tell(plan gate.Action, o gate.Outcome, text string) string
	// Fate is what became of an intent of which nobody knows, by what is left in the world. An error means that nobody can say, now.
	Fate(ctx context.Context, c *v1alpha1.Case, target gate.Ref) (gate.Outcome, string, error)
	// Verify looks whether what was done helped, age after it was done. An error means that it is looked at again.
	Verify(ctx context.Context, c *v1alpha1.Case, age time.Duration) (Effect, error)
}

// View is what a face found out about a happening for acting on it.
type View struct {
	Question flow.Question
	Advisor  flow.Advisor
	// Quiet is whether there is nothing to be done about it now, though it is not over.
	Quiet bool
	// Unfit is why the plan is not to be carried out although it is on the menu; nil: nothing speaks against it but what the
	// guardrail says.
	Unfit *gate.Reason
	// Well is how many of the workload's pods are well.
	Well int
}

// Effect is what came of an action, as far as it can be told.
type Effect struct {
	Phase  string      // of the Case from now on
	Result gate.Result // empty: the ledger is left as it is
	Text   string
	// Wait is how long to wait before it can be told; 0: this is it.
	Wait time.Duration
	// Last is whether it is said now or never: the ledger may have dropped the entry by now.
	Last bool
}

// only is a reason that holds and is none of the guardrail's.
func only(rule, text string) *gate.Reason {
	return &gate.Reason{Rule: rule, Decision: gate.Hold, Text: text}
}
