package forge

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// maxBack is how many commits of a branch are looked through for one that the server does not give by itself.
const maxBack = 50

var (
	errNoBranch = errors.New("there is no such branch")
	errNoCommit = errors.New("there is no such commit")
)

// point is where in its history a repository is read: the head of a branch, or a commit.
type point struct {
	branch plumbing.ReferenceName // empty: the commit alone is named
	commit plumbing.Hash          // zero: the head
	login  Login
	flux   bool // without what Flux leaves out
	ignore string
}

// at is the point that a Repository names.
func (r Repository) at() (point, error) {
	p := point{login: r.Login, flux: r.Flux, ignore: r.Ignore}
	if r.Commit != "" {
		if !plumbing.IsHash(r.Commit) || len(r.Commit) != 40 {
			return point{}, fmt.Errorf("%q is no commit in full", shorten(r.Commit))
		}
		if p.commit = plumbing.NewHash(r.Commit); r.Branch == "" {
			return p, nil
		}
	}
	p.branch = plumbing.NewBranchReferenceName(r.Branch)
	if err := p.branch.Validate(); err != nil {
		return point{}, fmt.Errorf("%q is no name for a branch", shorten(r.Branch))
	}
	return p, nil
}

// shorten is as much of a name as an error repeats.
func shorten(name string) string { return name[:min(len(name), 256)] }

func (p point) String() string {
	if p.commit.IsZero() {
		return "branch " + p.branch.Short()
	}
	return "commit " + p.commit.String()
}

// objects fetches one commit without its history. Where the server gives nothing but the heads of branches by themselves, a
// commit that is named is looked for in the last commits of its branch.
func (s server) objects(ctx context.Context, at point, commit plumbing.Hash) (storer.EncodedObjectStorer, error) {
	alone, err := s.fetch(ctx, commit, 1)
	var ours *refusal // a cap, which the whole branch would exceed too
	if err == nil || at.commit.IsZero() || ctx.Err() != nil || errors.As(err, &ours) {
		return alone, err
	}
	if at.branch == "" {
		return nil, fmt.Errorf("%w, and no branch is named to look for it in", err)
	}
	head, err := s.head(at.branch)
	if err != nil {
		return nil, errNoBranch
	}
	whole, err := s.fetch(ctx, head, maxBack)
	if err != nil {
		return nil, err
	}
	if whole.HasEncodedObject(commit) != nil {
		return nil, fmt.Errorf("it is not reachable within %d commits of branch %s", maxBack, at.branch.Short())
	}
	return whole, nil
}
