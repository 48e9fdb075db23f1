package forge

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// capPages bounds how many pages of pull requests are counted, of 100 each.
const capPages = 10

// full says why no further pull request may be opened; empty: one may. It counts what GitHub shows, so that it holds after a restart and
// for whoever takes over. Processes that open at the very same moment can exceed it by one each: what may be done at all is for the
// permit ledger to bound.
func (j *job) full(ctx context.Context) (string, error) {
	open, err := j.count(ctx, "open", time.Time{}, j.Open)
	if err != nil {
		return "", err
	}
	if open >= j.Open {
		return fmt.Sprintf("%d pull requests of ours may be open at once, and are", j.Open), nil
	}
	recent, err := j.count(ctx, "all", j.Now().Add(-time.Hour), j.Hourly)
	if err != nil {
		return "", err
	}
	if recent >= j.Hourly {
		return fmt.Sprintf("%d pull requests may be opened in an hour, and were", j.Hourly), nil
	}
	return "", nil
}

// count counts pull requests from branches of ours that were opened since then, until there are enough of them. Where there are more
// pull requests than are looked at, it answers with enough.
func (j *job) count(ctx context.Context, state string, since time.Time, enough int) (int, error) {
	n := 0
	options := &github.PullRequestListOptions{State: state, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100, Page: 1}}
	for ; options.Page <= capPages; options.Page++ {
		page, _, err := j.api.PullRequests.List(ctx, j.owner, j.name, options)
		if err != nil {
			return 0, fmt.Errorf("count the pull requests: %w", plain(err, noHub))
		}
		for _, pull := range page {
			if pull.GetCreatedAt().Before(since) {
				return n, nil
			}
			if strings.HasPrefix(pull.GetHead().GetRef(), branchPrefix) && strings.EqualFold(pull.GetHead().GetRepo().GetFullName(), j.Repository) {
				n++
			}
		}
		if n >= enough || len(page) < 100 {
			return n, nil
		}
	}
	return enough, nil
}
