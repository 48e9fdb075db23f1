package forge

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// RepositoryAt is the owner/name of a repository by the URL under which it is cloned, and whether it is one of this Hub's host and one
// that is meant.
func (h *Hub) RepositoryAt(clone string) (string, bool) {
	u, err := url.Parse(clone)
	if err != nil {
		return "", false
	}
	name := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	host := u.Host
	if u.Scheme == "ssh" {
		host = u.Hostname()
	}
	return name, strings.EqualFold(host, h.Host()) && slug.MatchString(name) && h.means(name)
}

// meant is the form of an entry of HubOptions.Only.
var meant = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}/([A-Za-z0-9_.-]{1,100}|\*)$`)

func (h *Hub) means(repository string) bool {
	return len(h.Only) == 0 || slices.ContainsFunc(h.Only, func(only string) bool {
		if owner, all := strings.CutSuffix(only, "*"); all {
			return len(repository) > len(owner) && strings.EqualFold(repository[:len(owner)], owner)
		}
		return strings.EqualFold(only, repository)
	})
}

// Login is what a repository of this Hub's host is read with; of another host it is none.
func (h *Hub) Login(ctx context.Context, clone string) (Login, error) {
	if _, here := h.RepositoryAt(clone); !here || !strings.HasPrefix(clone, "https://") && !h.Local {
		return Login{}, nil
	}
	token, err := h.auth(ctx)
	if err != nil {
		return Login{}, fmt.Errorf("read from %s: %w", h.Host(), err)
	}
	return Login{user: "x-access-token", secret: token}, nil
}

// Host is where this Hub opens pull requests, as clone URLs have it: github.com.
func (h *Hub) Host() string {
	if host := h.api.BaseURL.Host; host != "api.github.com" {
		return host
	}
	return "github.com"
}

// Standing tells how the pull request of a proposal's key stands, and writes nothing: Open, Merged, Rejected (a person closed it, and
// what is proposed is the same; without a ValueHash, whatever it was), Withdrawn, or Nothing. Of the proposal, Repository, Base and Key
// are needed.
func (h *Hub) Standing(ctx context.Context, p Proposal) (Outcome, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !p.named() {
		return Outcome{State: Refused, Notes: []string{unnamed}}, nil
	}
	j := h.job(p)
	open, closed, err := j.pulls(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("look for a pull request in %s: %w", p.Repository, err)
	}
	return j.standing(open, closed), nil
}

func (j *job) standing(open *github.PullRequest, closed []*github.PullRequest) Outcome {
	if open != nil {
		return saying(Open, open)
	}
	if no := j.rejected(closed); no != nil {
		return outcomeOf(Rejected, no)
	}
	switch {
	case len(closed) == 0:
		return Outcome{State: Nothing}
	case closed[0].MergedAt != nil:
		return saying(Merged, closed[0])
	}
	if m, _ := markerIn(closed[0].GetBody()); m.Withdrawn {
		return outcomeOf(Withdrawn, closed[0])
	}
	return Outcome{State: Nothing}
}

// saying is how a pull request stands, and what it proposes.
func saying(s State, pull *github.PullRequest) Outcome {
	o := outcomeOf(s, pull)
	m, _ := markerIn(pull.GetBody())
	o.Value = m.Value
	return o
}

// Full says why no further pull request may be opened in a repository now; empty: one may.
func (h *Hub) Full(ctx context.Context, repository string) (string, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !slug.MatchString(repository) {
		return unnamed, nil
	}
	why, err := h.job(Proposal{Repository: repository}).full(ctx)
	if err != nil {
		return "", fmt.Errorf("look what is open in %s: %w", repository, err)
	}
	return why, nil
}

const unnamed = "repository, base and key do not name a pull request of ours"

// named reports whether a proposal says which pull request is meant.
func (p Proposal) named() bool {
	return slug.MatchString(p.Repository) && digest.MatchString(p.Key) && branchName.MatchString(p.Base)
}
