package forge

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-github/v60/github"

	"moorgate.dev/internal/redact/markdown"
)

// Withdraw closes the pull request of a key whose drift is gone, says why, and removes its branch. Of the proposal, Repository, Base and
// Key are needed. A branch on which somebody else works is left alone, and so is its pull request.
func (h *Hub) Withdraw(ctx context.Context, p Proposal, why string) (Outcome, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !p.named() {
		return Outcome{State: Refused, Notes: []string{unnamed}}, nil
	}
	o, err := h.job(p).withdraw(ctx, h.Door.Text(why))
	if err != nil {
		return Outcome{}, fmt.Errorf("withdraw a proposal from %s: %w", p.Repository, err)
	}
	return o, nil
}

func (j *job) withdraw(ctx context.Context, why string) (Outcome, error) {
	open, _, err := j.pulls(ctx)
	if err != nil {
		return Outcome{}, err
	}
	at, err := j.tip(ctx)
	if err != nil || at.theirs {
		return Outcome{State: TheirBranch, Notes: []string{"somebody else's commits are on " + branchOf(j.Key)}}, err
	}
	o := Outcome{State: Nothing}
	if open != nil {
		if o, err = j.shut(ctx, open, why); err != nil {
			return Outcome{}, err
		}
	}
	if at.head == "" {
		return o, nil
	}
	if _, err := j.api.Git.DeleteRef(ctx, j.owner, j.name, "heads/"+branchOf(j.Key)); err != nil && status(err) != http.StatusUnprocessableEntity {
		return Outcome{}, fmt.Errorf("remove the branch %s: %w", branchOf(j.Key), plain(err, noHub))
	}
	return o, nil
}

// shut closes a pull request. That it was we who did is written in the same request, so that it is never taken for a person's no.
func (j *job) shut(ctx context.Context, open *github.PullRequest, why string) (Outcome, error) {
	m, _ := markerIn(open.GetBody())
	m.Withdrawn = true
	body := m.over(open.GetBody())
	_, _, err := j.api.PullRequests.Edit(ctx, j.owner, j.name, open.GetNumber(), &github.PullRequest{State: github.String("closed"), Body: &body})
	if err != nil {
		return Outcome{}, fmt.Errorf("close pull request %d: %w", open.GetNumber(), plain(err, noHub))
	}
	o := outcomeOf(Withdrawn, open)
	text := "Moorgate withdraws this: " + markdown.Prose(why)
	if _, _, err := j.api.Issues.CreateComment(ctx, j.owner, j.name, open.GetNumber(), &github.IssueComment{Body: &text}); err != nil {
		o.Notes = append(o.Notes, fmt.Sprintf("why could not be said on it: %v", plain(err, noHub)))
	}
	return o, nil
}
