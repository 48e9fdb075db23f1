package drift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// place is where it stands in Git what a Case tells of.
type place struct {
	key      client.ObjectKey // of a GitSource, or of what is Delivered
	from     Repository
	delivery *Delivered // nil: of a GitSource
}

var errNoSource = errors.New("what it was compared with is gone, or is in another place")

// placeOf finds the place of a Case, by the hash of its name that the Case has. fresh looks anew at what is delivered.
func (p *Proposals) placeOf(ctx context.Context, c *v1alpha1.Case, fresh bool) (place, error) {
	label := c.Labels[LabelSource]
	var list v1alpha1.GitSourceList
	if err := p.Detector.Client.List(ctx, &list, client.InNamespace(c.Namespace)); err != nil {
		return place{}, fmt.Errorf("list the GitSources of %s: %w", c.Namespace, err)
	}
	for i := range list.Items {
		if g := &list.Items[i]; sourceLabel(g.Name) == label {
			return place{key: client.ObjectKeyFromObject(g), from: Repository{URL: g.Spec.URL, Branch: g.Spec.Branch, Path: g.Spec.Path}}, nil
		}
	}
	all, err := p.delivered(ctx, fresh)
	i := slices.IndexFunc(all, func(y Delivered) bool { return y.Namespace == c.Namespace && sourceLabel(y.Name) == label })
	switch {
	case i >= 0:
		return place{key: all[i].Key(), from: all[i].written(), delivery: &all[i]}, nil
	case err != nil:
		return place{}, err
	}
	return place{}, errNoSource
}

// delivered is what Flux and Argo CD deliver, as of an interval ago at most.
func (p *Proposals) delivered(ctx context.Context, fresh bool) ([]Delivered, error) {
	now := p.Detector.Now()
	if !fresh && !p.lookedAt.IsZero() && now.Sub(p.lookedAt) < p.Detector.interval() {
		return p.deliveries, nil
	}
	all, err := p.Detector.Deliveries(ctx, "")
	if err == nil {
		p.deliveries, p.lookedAt = all, now
	}
	return all, err
}

// tree is what Git says at a place: with live as it is now, else as of an interval ago at most.
func (p *Proposals) tree(ctx context.Context, at place, live bool) tree {
	if live {
		p.Detector.forget(at.key)
	}
	if at.delivery != nil {
		return p.Detector.delivered(ctx, *at.delivery)
	}
	t, _ := p.Detector.tree(ctx, at.key, at.from, client.ObjectKey{})
	return t
}

// proposalFor names the pull request for an object at a place; what it says is not in it. why says that there can be none.
func (p *Proposals) proposalFor(at place, subject gate.Ref) (named forge.Proposal, why string) {
	repository, here := p.Hub.RepositoryAt(at.from.URL)
	switch {
	case !here:
		return forge.Proposal{}, fmt.Sprintf("the repository of %s is not one of those of %s for which pull requests are opened", Title(at.key), p.Hub.Host())
	case at.from.Branch == "":
		return forge.Proposal{}, Title(at.key) + " follows no branch that a pull request could be for"
	}
	named = forge.Proposal{Repository: repository, Base: at.from.Branch}
	named.Key = p.keyed(strings.ToLower(repository), named.Base, gate.WorkloadKey(subject))
	return named, ""
}
