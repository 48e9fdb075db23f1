package drift

import (
	"context"
	"errors"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
)

// Leftovers is this face's part of acting where there is no GitHub to open a pull request at. It begins nothing. An intent that was left
// open, by a process that had one, is closed as one of which nobody knows how it ended, so that people look: it is never open for ever.
type Leftovers struct{}

var _ acting.Face = Leftovers{}

var errNoHub = errors.New("there is no GitHub to ask: look for its pull request, or give --github-token-file or a GitHub App")

// rareLook is how often a pull request that nobody here can look at is passed by.
const rareLook = time.Hour

// Name is that of this face.
func (Leftovers) Name() gate.Face { return gate.FaceDrift }

// Reach is how far a pull request reaches.
func (Leftovers) Reach() gate.Reach { return gate.ReachGit }

// Ours is whether a Case is named by what it tells of, and tells of fields that differ.
func (Leftovers) Ours(c *v1alpha1.Case) bool { return tellsOfFields(c) }

// Over is always so: nothing is begun.
func (Leftovers) Over(*v1alpha1.Case) bool { return true }

// See never finds anything to do.
func (Leftovers) See(context.Context, *v1alpha1.Case, string, bool) (acting.View, error) {
	return acting.View{}, acting.ErrGone
}

// Tell says what was said: nothing is done here.
func (Leftovers) Tell(_ gate.Action, _ gate.Outcome, text string) string { return text }

// Fate cannot be told.
func (Leftovers) Fate(context.Context, *v1alpha1.Case, gate.Ref) (gate.Outcome, string, error) {
	return gate.OutcomeUnknown, "", errNoHub
}

// Verify leaves a pull request to people, and to a process that has a GitHub.
func (Leftovers) Verify(context.Context, *v1alpha1.Case, time.Duration) (acting.Effect, error) {
	return acting.Effect{Wait: rareLook}, nil
}
