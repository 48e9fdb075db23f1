package drift

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// deliverFor is how long after a pull request was merged its drift may stand: delivery takes its time.
const deliverFor = 24 * time.Hour

// Verify follows a pull request until people have decided. Where its drift is gone it is withdrawn.
func (p *Proposals) Verify(ctx context.Context, c *v1alpha1.Case, age time.Duration) (acting.Effect, error) {
	o, err := p.standing(ctx, c)
	followed := c.Status.Acting.Phase == v1alpha1.PhaseActed
	if !followed && (errors.Is(err, errNoSource) || err == nil && (o.State != forge.Open || o.Value != p.valueOf(signalOf(c)))) {
		return acting.Effect{Wait: rareLook}, nil // nothing of it is left open
	}
	if errors.Is(err, errNoSource) {
		return acting.Effect{Phase: v1alpha1.PhaseUnclear, Text: err.Error() + ": its pull request is left to people"}, nil
	}
	if err != nil {
		return acting.Effect{}, err
	}
	stands, gone := meta.IsStatusConditionTrue(c.Status.Conditions, CaseDrifted), meta.IsStatusConditionFalse(c.Status.Conditions, CaseDrifted)
	e := acting.Effect{Last: age > deliverFor} // the ledger forgets what it was told long ago
	switch {
	case o.State == forge.Merged && gone:
		e.Phase, e.Result, e.Text = v1alpha1.PhaseHealed, gate.ResultHealed, "pull request "+o.URL+" was merged, and the cluster says what Git says"
	case o.State == forge.Merged && stands && age > deliverFor:
		e.Phase, e.Result, e.Text = v1alpha1.PhaseIneffective, gate.ResultIneffective, "pull request "+o.URL+" was merged, and the cluster still differs from Git"
	case o.State == forge.Rejected:
		e.Phase, e.Text = v1alpha1.PhaseIneffective, "people closed pull request "+o.URL+": that is a no until a value changes"
	case o.State == forge.Withdrawn && gone:
		e.Phase, e.Text = v1alpha1.PhaseHealed, "the drift is gone, and its pull request "+o.URL+" was withdrawn"
	case o.State == forge.Open && gone:
		return p.gone(ctx, c, e)
	case o.State == forge.Open && stands && o.Value != p.valueOf(signalOf(c)): // it was another Case's in between
		e.Phase = v1alpha1.PhaseRefused
		return p.withdraw(ctx, c, e, "the cluster has another value again")
	case o.State == forge.Open && stands && renewed(c):
		return p.renew(ctx, c, o, e)
	case o.State == forge.Open, o.State == forge.Merged:
		e.Wait = p.Follow
	default:
		e.Phase, e.Text = v1alpha1.PhaseUnclear, "its pull request is not there any more, and nobody can say what people decided"
	}
	return e, nil
}

// renewed is whether another plan was chosen since for the same happening, which is so where Git has moved on.
func renewed(c *v1alpha1.Case) bool {
	plan, ours := acting.Chosen(c, gate.ReachGit)
	return ours && plan != c.Status.Acting.Plan
}

// renew lets a pull request be made anew that people cannot merge any more, because what it is for has moved on: the plan that was chosen
// since is carried out like any other, so that it counts in the budgets, and has the same pull request say it on top of what Git says now.
// One that can still be merged is left as it is.
func (p *Proposals) renew(ctx context.Context, c *v1alpha1.Case, o forge.Outcome, e acting.Effect) (acting.Effect, error) {
	stuck, err := p.stuck(ctx, c, o)
	if err != nil || !stuck {
		e.Wait = p.Follow
		return e, err
	}
	e.Phase, e.Text = v1alpha1.PhaseRefused, "pull request "+o.URL+" cannot be merged any more, for Git has moved on: it is to be made anew"
	return e, nil
}

func (p *Proposals) stuck(ctx context.Context, c *v1alpha1.Case, o forge.Outcome) (bool, error) {
	named, err := p.named(ctx, c)
	if err != nil {
		return false, err
	}
	return p.Hub.Stuck(ctx, named, o.Number)
}

// gone withdraws the pull request of a drift that is gone, unless another Case is about to have it say something else.
func (p *Proposals) gone(ctx context.Context, c *v1alpha1.Case, e acting.Effect) (acting.Effect, error) {
	e.Phase = v1alpha1.PhaseHealed
	next, err := p.successor(ctx, c)
	if err != nil {
		return acting.Effect{}, err
	}
	if next != "" {
		e.Text = "it has changed again, and Case " + next + " tells of it: the pull request is that Case's now"
		return e, nil
	}
	return p.withdraw(ctx, c, e, "the drift is gone")
}

// withdraw closes a pull request that proposes what the cluster does not say any more.
func (p *Proposals) withdraw(ctx context.Context, c *v1alpha1.Case, e acting.Effect, why string) (acting.Effect, error) {
	named, err := p.named(ctx, c)
	if err != nil {
		return acting.Effect{}, err
	}
	_, err = p.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Correlation: caseRef(c), Text: "about to withdraw its pull request from " + named.Repository + ", because " + why})
	if err != nil {
		return acting.Effect{}, fmt.Errorf("write to the audit log, so nothing is withdrawn: %w", err)
	}
	o, err := p.Hub.Withdraw(ctx, named, why)
	if err != nil {
		return acting.Effect{}, err
	}
	switch o.State {
	case forge.TheirBranch:
		e.Text = why + "; its pull request is left open, for people work on its branch"
	default:
		e.Text = why + ", and its pull request " + o.URL + " was withdrawn"
	}
	return e, nil
}

// successor is the Case of the same object that stands now and on which a pull request was chosen; empty: there is none.
func (p *Proposals) successor(ctx context.Context, c *v1alpha1.Case) (string, error) {
	var list v1alpha1.CaseList
	err := p.Detector.Client.List(ctx, &list, client.InNamespace(c.Namespace),
		client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift), v1alpha1.LabelWorkload: c.Labels[v1alpha1.LabelWorkload], LabelSource: c.Labels[LabelSource]})
	if err != nil {
		return "", fmt.Errorf("look for a newer Case of it: %w", err)
	}
	for i := range list.Items {
		k := &list.Items[i]
		if _, chosen := acting.Chosen(k, gate.ReachGit); chosen && k.Name != c.Name && p.Ours(k) && meta.IsStatusConditionTrue(k.Status.Conditions, CaseDrifted) {
			return k.Name, nil
		}
	}
	return "", nil
}
