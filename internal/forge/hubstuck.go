package forge

import (
	"context"
	"fmt"
)

// Stuck reports whether an open pull request of ours, by its number, cannot be merged any more because its base has moved on. Of the
// proposal, Repository, Base and Key are needed. One on whose branch somebody else works is theirs to untangle, and while GitHub has not
// found out yet it is not said of any.
func (h *Hub) Stuck(ctx context.Context, p Proposal, number int) (bool, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if !p.named() {
		return false, nil
	}
	stuck, err := h.job(p).stuck(ctx, number)
	if err != nil {
		return false, fmt.Errorf("look whether pull request %d of %s can be merged: %w", number, p.Repository, err)
	}
	return stuck, nil
}

func (j *job) stuck(ctx context.Context, number int) (bool, error) {
	pull, _, err := j.api.PullRequests.Get(ctx, j.owner, j.name, number)
	if err != nil {
		return false, plain(err, noHub)
	}
	if pull.Mergeable == nil || *pull.Mergeable || pull.GetHead().GetRef() != branchOf(j.Key) {
		return false, nil
	}
	at, err := j.tip(ctx)
	return at.commit != "" && !at.theirs && !at.onBase, err // on its base's head it can be, whatever GitHub has not noticed yet
}
