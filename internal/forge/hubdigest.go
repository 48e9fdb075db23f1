package forge

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"moorgate.dev/internal/redact/markdown"
)

// Item is one drift that waits because enough is open: what drifted, and the Case that says more.
type Item struct{ Object, Case string }

const (
	digestLabel = "moorgate-digest"
	digestOpen  = "<!-- moorgate-digest "
	digestRows  = 100
)

// Digest sees to it that there is one issue that lists what waits, or none where nothing does. An issue that a person closed is not
// opened again for the same list.
func (h *Hub) Digest(ctx context.Context, repository string, items []Item) (Outcome, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !slug.MatchString(repository) {
		return Outcome{State: Refused, Notes: []string{"the repository is not named as owner/name"}}, nil
	}
	o, err := h.job(Proposal{Repository: repository}).digest(ctx, items)
	if err != nil {
		return Outcome{}, fmt.Errorf("list what waits in %s: %w", repository, err)
	}
	return o, nil
}

func (j *job) digest(ctx context.Context, items []Item) (Outcome, error) {
	all, err := j.digests(ctx)
	if err != nil {
		return Outcome{}, err
	}
	clean := make([]Item, len(items)) // before they are cut and quoted, as in a Story
	for n, i := range items {
		clean[n] = Item{Object: j.Door.Text(i.Object), Case: j.Door.Text(i.Case)}
	}
	body, first := digestBody(clean)
	title := fmt.Sprintf("Moorgate: %d drifts wait", len(items))
	for _, i := range all {
		if i.GetState() == "open" {
			return j.refresh(ctx, i, title, body, first, len(items) == 0)
		}
	}
	if len(items) == 0 {
		return Outcome{State: Nothing}, nil
	}
	if len(all) > 0 && strings.HasPrefix(all[len(all)-1].GetBody(), first) {
		return issueOutcome(Rejected, all[len(all)-1]), nil
	}
	made, _, err := j.api.Issues.Create(ctx, j.owner, j.name, &github.IssueRequest{Title: &title, Body: &body, Labels: &[]string{digestLabel}})
	if err != nil {
		return Outcome{}, fmt.Errorf("open an issue: %w", plain(err, noHub))
	}
	return j.only(ctx, made)
}

// digests are the issues of this kind, the oldest first.
func (j *job) digests(ctx context.Context) ([]*github.Issue, error) {
	all, _, err := j.api.Issues.ListByRepo(ctx, j.owner, j.name, &github.IssueListByRepoOptions{State: "all", Labels: []string{digestLabel}, Sort: "created",
		Direction: "desc", ListOptions: github.ListOptions{PerPage: 100}})
	if err != nil {
		return nil, fmt.Errorf("list the issues: %w", plain(err, noHub))
	}
	all = slices.DeleteFunc(all, func(i *github.Issue) bool { return i.IsPullRequest() || !strings.HasPrefix(i.GetBody(), digestOpen) })
	slices.SortFunc(all, func(a, b *github.Issue) int { return cmp.Compare(a.GetNumber(), b.GetNumber()) })
	return all, nil
}

// refresh has an open issue say what waits now, and closes it where nothing does.
func (j *job) refresh(ctx context.Context, i *github.Issue, title, body, first string, close bool) (Outcome, error) {
	if !close && strings.HasPrefix(i.GetBody(), first) {
		return issueOutcome(Unchanged, i), nil
	}
	change, state := &github.IssueRequest{Title: &title, Body: &body}, Updated
	if close {
		change.State, state = github.String("closed"), Withdrawn
	}
	if _, _, err := j.api.Issues.Edit(ctx, j.owner, j.name, i.GetNumber(), change); err != nil {
		return Outcome{}, fmt.Errorf("write issue %d: %w", i.GetNumber(), plain(err, noHub))
	}
	return issueOutcome(state, i), nil
}

// only closes an issue again that was just opened, where somebody else opened one before it, or where it would not be found again.
func (j *job) only(ctx context.Context, made *github.Issue) (Outcome, error) {
	all, err := j.digests(ctx)
	if err != nil {
		return Outcome{}, err
	}
	var first *github.Issue
	for _, i := range all {
		if i.GetState() == "open" {
			first = i
			break
		}
	}
	if first != nil && first.GetNumber() == made.GetNumber() {
		return issueOutcome(Opened, made), nil
	}
	nothing, _ := digestBody(nil)
	if _, _, err := j.api.Issues.Edit(ctx, j.owner, j.name, made.GetNumber(), &github.IssueRequest{State: github.String("closed"), Body: &nothing}); err != nil {
		return Outcome{}, fmt.Errorf("close issue %d: %w", made.GetNumber(), plain(err, noHub))
	}
	if first == nil {
		return Outcome{}, errors.New("open an issue: its label is not taken, so it would not be found again")
	}
	return issueOutcome(Unchanged, first), nil
}

// digestBody lists what waits, under a first line by which the same list is known.
func digestBody(items []Item) (body, first string) {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b Item) int { return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Case, b.Case)) })
	sum := sha256.New()
	var table strings.Builder
	for n, i := range sorted {
		_, _ = fmt.Fprintf(sum, "%q %q\n", i.Object, i.Case)
		if n < digestRows {
			table.WriteString("| " + markdown.Cell(i.Object, 160) + " | " + markdown.Cell(i.Case, 160) + " |\n")
		}
	}
	first = digestOpen + hex.EncodeToString(sum.Sum(nil)) + markerClose
	if len(items) == 0 {
		return first + "\nNothing waits any more.\n", first
	}
	body = first + "\nThe cluster differs from Git in more places than Moorgate may open pull requests for. These wait; when many came at once, " +
		"one cause is likely: look for it before you look at each.\n\n| What | Case |\n| --- | --- |\n" + table.String()
	if more := len(items) - digestRows; more > 0 {
		body += fmt.Sprintf("\nand %d more: `moorgate diff` shows them all.\n", more)
	}
	return body, first
}

func issueOutcome(s State, i *github.Issue) Outcome {
	return Outcome{State: s, Number: i.GetNumber(), URL: i.GetHTMLURL()}
}
