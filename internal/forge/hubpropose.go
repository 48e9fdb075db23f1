package forge

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Propose sees to it that there is one pull request for the proposal's key, and that it says what is proposed now. It may be called as
// often as one likes, by several processes at once, and again after any failure. An error says that it could not be said what came of
// it: whoever asked asks again.
func (h *Hub) Propose(ctx context.Context, p Proposal) (Outcome, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if why := p.refused(); why != "" {
		return Outcome{State: Refused, Notes: []string{why}}, nil
	}
	p.Title, p.Body = subject(h.Door.Text(p.Title)), h.Door.Text(p.Body)
	o, err := h.job(p).propose(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("propose a change to %s: %w", p.Repository, err)
	}
	return o, nil
}

func (j *job) propose(ctx context.Context) (Outcome, error) {
	open, closed, err := j.pulls(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if open != nil && j.says(open) {
		if stuck, err := j.stuck(ctx, open.GetNumber()); err != nil || !stuck {
			return outcomeOf(Unchanged, open), err
		}
	}
	if open == nil {
		if no := j.rejected(closed); no != nil {
			o := outcomeOf(Rejected, no)
			o.Notes = []string{"a person closed it, and what is proposed is the same"}
			return o, nil
		}
		if full, err := j.full(ctx); err != nil || full != "" {
			return Outcome{State: Held, Notes: []string{full}}, err
		}
	}
	base, _, err := j.api.Git.GetRef(ctx, j.owner, j.name, "heads/"+j.Base)
	if err != nil {
		return Outcome{}, fmt.Errorf("find the branch %s: %w", j.Base, plain(err, noHub))
	}
	if base.GetObject().GetSHA() != j.BaseCommit {
		return Outcome{State: Stale, Notes: []string{fmt.Sprintf("%s stands at %.12s", j.Base, base.GetObject().GetSHA())}}, nil
	}
	changed, why, err := j.entries(ctx)
	switch {
	case err != nil:
		return Outcome{}, err
	case why != "":
		return Outcome{State: Refused, Notes: []string{why}}, nil
	case len(changed) == 0:
		return Outcome{State: Already, Commit: j.BaseCommit}, nil
	}
	at, err := j.push(ctx, changed)
	if err != nil || at.theirs {
		return Outcome{State: TheirBranch, Notes: []string{"somebody else's commits are on " + branchOf(j.Key)}}, err
	}
	return j.request(ctx, open, at)
}

// pulls are the pull requests of the branch: the one that is open, and those that were closed, the newest first.
func (j *job) pulls(ctx context.Context) (open *github.PullRequest, closed []*github.PullRequest, err error) {
	all, _, err := j.api.PullRequests.List(ctx, j.owner, j.name, &github.PullRequestListOptions{State: "all", Head: j.owner + ":" + branchOf(j.Key),
		Base: j.Base, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100}})
	if err != nil {
		return nil, nil, fmt.Errorf("list the pull requests of %s: %w", branchOf(j.Key), plain(err, noHub))
	}
	for _, pull := range all {
		switch {
		case !strings.EqualFold(pull.GetHead().GetRepo().GetFullName(), j.Repository) && pull.GetHead().GetRepo() != nil:
			// another repository's branch of the same name
		case pull.GetState() == "open" && open == nil:
			open = pull
		case pull.GetState() == "closed":
			closed = append(closed, pull)
		}
	}
	return open, closed, nil
}

// says reports whether an open pull request says what is proposed already, and nobody has touched its branch.
func (j *job) says(pull *github.PullRequest) bool {
	m, ok := markerIn(pull.GetBody())
	return ok && m.Key == j.Key && m.Value == j.ValueHash && m.Content == j.content() && m.Commit == pull.GetHead().GetSHA()
}

// rejected is the pull request by which a person said no to this value, or to any where none is given; nil: there is none. A pull
// request whose marker is gone could have been about any value.
func (j *job) rejected(closed []*github.PullRequest) *github.PullRequest {
	for _, pull := range closed {
		m, ok := markerIn(pull.GetBody())
		if pull.MergedAt == nil && (!ok || !m.Withdrawn && (j.ValueHash == "" || m.Value == j.ValueHash)) {
			return pull
		}
	}
	return nil
}

// pushTries is how often it is tried to move the branch while others move it.
const pushTries = 4

// push sees to it that the branch ends in a commit of what is proposed. It never forces the branch: where its base has moved, the commit
// takes in the base as a second parent, so that nothing that anybody pushes meanwhile is ever lost.
func (j *job) push(ctx context.Context, changed []*github.TreeEntry) (tip, error) {
	tree, err := j.tree(ctx, changed)
	if err != nil {
		return tip{}, err
	}
	for range pushTries {
		at, err := j.tip(ctx)
		if err != nil || at.theirs || at.commit != "" && at.tree == tree && at.onBase {
			return at, err
		}
		made, err := j.commit(ctx, at, tree)
		if err != nil {
			return tip{}, err
		}
		ref := &github.Reference{Ref: github.String("refs/heads/" + branchOf(j.Key)), Object: &github.GitObject{SHA: made.SHA}}
		if at.head == "" {
			_, _, err = j.api.Git.CreateRef(ctx, j.owner, j.name, ref)
		} else {
			_, _, err = j.api.Git.UpdateRef(ctx, j.owner, j.name, ref, false)
		}
		if status(err) == http.StatusUnprocessableEntity {
			continue // somebody was faster: look again whether it says so now
		}
		if err != nil {
			return tip{}, fmt.Errorf("move the branch %s: %w", branchOf(j.Key), plain(err, noHub))
		}
		return tip{commit: made.GetSHA(), tree: tree, verified: made.GetVerification().GetVerified()}, nil
	}
	return tip{}, fmt.Errorf("move the branch %s: %w", branchOf(j.Key), ErrMoved)
}

// commit makes a commit that names no author, so that GitHub signs it for an App.
func (j *job) commit(ctx context.Context, at tip, tree string) (*github.Commit, error) {
	parents := []*github.Commit{{SHA: &j.BaseCommit}}
	if at.commit != "" {
		parents = []*github.Commit{{SHA: &at.commit}}
		if !at.onBase {
			parents = append(parents, &github.Commit{SHA: &j.BaseCommit})
		}
	}
	message := j.Title + "\n\n" + j.trailer(tree)
	made, _, err := j.api.Git.CreateCommit(ctx, j.owner, j.name,
		&github.Commit{Message: &message, Tree: &github.Tree{SHA: &tree}, Parents: parents}, nil)
	if err != nil {
		return nil, fmt.Errorf("make a commit: %w", plain(err, noHub))
	}
	return made, nil
}

// request opens the pull request, or has the one that is open say what is proposed now.
func (j *job) request(ctx context.Context, open *github.PullRequest, at tip) (Outcome, error) {
	body := marker{Key: j.Key, Value: j.ValueHash, Content: j.content(), Commit: at.commit}.over(j.Body)
	state := Updated
	if open == nil {
		made, err := j.open(ctx, body, j.Draft)
		switch {
		case err == nil:
			o := j.labelled(ctx, outcomeOf(Opened, made))
			o.Commit, o.Verified = at.commit, at.verified
			return o, nil
		case status(err) != http.StatusUnprocessableEntity:
			return Outcome{}, fmt.Errorf("open a pull request: %w", plain(err, noHub))
		}
		if open, _, err = j.pulls(ctx); err != nil { // there is one already: somebody was faster
			return Outcome{}, err
		}
		if open == nil && j.Draft { // some repositories have no drafts, which is said as everything else is
			if made, err = j.open(ctx, body, false); err == nil {
				o := j.labelled(ctx, outcomeOf(Opened, made))
				o.Commit, o.Verified = at.commit, at.verified
				return o, nil
			}
		}
		if open == nil {
			return Outcome{}, fmt.Errorf("open a pull request: %w", refuse("it is turned away, and there is none"))
		}
		state = Unchanged
	}
	if !j.says(open) || open.GetHead().GetSHA() != at.commit {
		if _, _, err := j.api.PullRequests.Edit(ctx, j.owner, j.name, open.GetNumber(), &github.PullRequest{Title: &j.Title, Body: &body}); err != nil {
			return Outcome{}, fmt.Errorf("write pull request %d: %w", open.GetNumber(), plain(err, noHub))
		}
		state = Updated
	}
	o := j.labelled(ctx, outcomeOf(state, open))
	o.Commit, o.Verified = at.commit, at.verified
	return o, nil
}

func (j *job) open(ctx context.Context, body string, draft bool) (*github.PullRequest, error) {
	branch := branchOf(j.Key)
	made, _, err := j.api.PullRequests.Create(ctx, j.owner, j.name,
		&github.NewPullRequest{Title: &j.Title, Head: &branch, Base: &j.Base, Body: &body, Draft: &draft})
	return made, err
}

// labelled adds the labels. That they could not be added fails nothing.
func (j *job) labelled(ctx context.Context, o Outcome) Outcome {
	if len(j.Labels) == 0 {
		return o
	}
	// go-github sends a bare list, which is not what GitHub publishes any more.
	path := fmt.Sprintf("repos/%s/%s/issues/%d/labels", j.owner, j.name, o.Number)
	req, err := j.api.NewRequest(http.MethodPost, path, map[string][]string{"labels": j.Labels})
	if err == nil {
		_, err = j.api.Do(ctx, req, nil)
	}
	if err != nil {
		o.Notes = append(o.Notes, fmt.Sprintf("its labels could not be added: %v", plain(err, noHub)))
	}
	return o
}

func outcomeOf(s State, pull *github.PullRequest) Outcome {
	return Outcome{State: s, Number: pull.GetNumber(), URL: pull.GetHTMLURL(), Commit: pull.GetHead().GetSHA(), Draft: pull.GetDraft()}
}
