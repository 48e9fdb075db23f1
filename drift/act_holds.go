package drift

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// Holds is this face's part of acting in the cluster: while people decide on the pull request of a drift, the one object is left alone by
// the Kustomization of Flux that delivers it. It is one annotation, that a human approved, and that is taken away again: when they have
// decided, when the drift is gone, or when its time is over, and by whoever acts then.
type Holds struct {
	// Proposals looks where a pull request stands. It is nobody else's: it remembers what it saw. Without its Hub nothing is held, and
	// what is held is let go.
	Proposals *Proposals
	// Guardrails read without a cache.
	Guardrails cluster.Guardrails
	// Hand carries out what a Permit allows.
	Hand flow.Actor
}

var _ acting.Face = (*Holds)(nil)

// Complete checks that nothing is missing.
func (h *Holds) Complete() error {
	if h.Proposals == nil || h.Proposals.Detector == nil || h.Proposals.Log == nil || h.Guardrails.Reader == nil || h.Hand == nil {
		return errors.New("prepare to hold deliveries: Proposals with a Detector and a Log, Guardrails and Hand are all needed")
	}
	return nil
}

// Name is that of this face.
func (h *Holds) Name() gate.Face { return gate.FaceDrift }

// Reach is how far a hold reaches.
func (h *Holds) Reach() gate.Reach { return gate.ReachLive }

// Ours is whether a Case is named by what it tells of, and asks whether to hold.
func (h *Holds) Ours(c *v1alpha1.Case) bool { return asksToHold(c) }

// Over is whether there is nothing to hold any more: what was let go once is not held again.
func (h *Holds) Over(c *v1alpha1.Case) bool {
	a := c.Status.Acting
	return a != nil && a.Phase == v1alpha1.PhaseHealed || meta.IsStatusConditionFalse(c.Status.Conditions, CaseDrifted)
}

// See looks whether the drift still stands and is undecided, who delivers the object, and how the annotation stands on it. live asks
// GitHub and the API server, which tries it in a dry run.
func (h *Holds) See(ctx context.Context, c *v1alpha1.Case, _ string, live bool) (acting.View, error) {
	d := h.Proposals.Detector
	q := flow.Question{Signal: signalOf(c), Case: caseRef(c), Facts: gate.Facts{At: d.Now(), Subject: signalOf(c).Subject}}
	v := acting.View{Question: q, Advisor: flow.AdvisorFunc(adviseHold), Quiet: true}
	k, decided, err := h.decided(ctx, c, live)
	if err != nil || decided != "" {
		return v, err
	}
	now, err := h.object(ctx, q.Facts.Subject)
	if err != nil {
		return acting.View{}, err
	}
	by, why, err := h.deliverer(ctx, now)
	if err != nil {
		return acting.View{}, err
	}
	v.Quiet, q.Facts.Menu = false, holdMenu(q.Facts.Subject, by)
	q.Evidence = []gate.Evidence{
		{ID: evidenceLive, Source: "live " + q.Facts.Subject.Kind + "/" + q.Facts.Subject.Name, At: q.Facts.At, Trust: gate.FromAPI, Text: "resourceVersion " + now.GetResourceVersion()},
		{ID: "drift", Source: "Case " + k.Name, At: q.Facts.At, Trust: gate.FromAPI}}
	d.Circumstances.Complete(ctx, &q, gate.Known(c.CreationTimestamp.Time), reasonHold, gate.VerbHold)
	q.Facts.Owner, q.Facts.Drift = gate.Known(gate.Owner{Source: "Kustomization " + by.String()}), gate.Known(k.Status.Cause)
	v.Question = q
	switch {
	case why != "":
		v.Unfit = held("hold", why)
	case cluster.HoldOn(now) == cluster.HoldOthers:
		v.Unfit = held("hold", "somebody else tells Flux by that annotation what to do with it, and it is theirs")
	}
	if v.Unfit != nil || !live {
		return v, nil
	}
	v.Unfit, err = h.prepare(ctx, &q.Facts.Menu[0])
	return v, err
}

// prepare tries a hold in a dry run, and makes it the Request of its plan.
func (h *Holds) prepare(ctx context.Context, plan *gate.Action) (*gate.Reason, error) {
	request, err := cluster.RequestOf(*plan)
	if err != nil {
		return held("hold", err.Error()), nil
	}
	err = h.Proposals.Detector.Client.Patch(ctx, blank(plan.Target), client.RawPatch(types.ApplyPatchType, request.Body), client.DryRunAll, client.FieldOwner(cluster.HoldOwner))
	switch {
	case apierrors.IsForbidden(err):
		return held("hold", "it may not be done in this namespace (moorgate install --enable hold --namespace "+plan.Target.Namespace+"): "+err.Error()), nil
	case apierrors.IsConflict(err), apierrors.IsInvalid(err), apierrors.IsNotFound(err), apierrors.IsBadRequest(err):
		return held("hold", "the API server would refuse it: "+err.Error()), nil
	case err != nil:
		return nil, fmt.Errorf("try it in a dry run: %w", err)
	}
	plan.Request = &request
	return nil, nil
}

// decided says why nobody decides on the drift any more that a Case asks about; empty: they do, and k is the drift's own Case. asks has
// GitHub asked too.
func (h *Holds) decided(ctx context.Context, c *v1alpha1.Case, asks bool) (k *v1alpha1.Case, why string, err error) {
	k = &v1alpha1.Case{}
	err = h.Proposals.Detector.Client.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Signal.Key}, k)
	switch {
	case apierrors.IsNotFound(err):
		return nil, "the Case of its drift is gone", nil
	case err != nil:
		return nil, "", fmt.Errorf("read the Case of its drift: %w", err)
	case !tellsOfFields(k) || k.Spec.Subject != c.Spec.Subject:
		return nil, "the Case that it names is not that of its drift", nil
	case meta.IsStatusConditionFalse(k.Status.Conditions, CaseDrifted):
		return k, "the drift is gone", nil
	case k.Status.Acting == nil || k.Status.Acting.Phase != v1alpha1.PhaseActed:
		return k, "people have decided on its pull request, or it is not open any more", nil
	case h.Proposals.Hub == nil:
		return k, "there is no GitHub to ask what people decide", nil
	case !asks:
		return k, "", nil
	}
	o, err := h.Proposals.standing(ctx, k)
	switch {
	case errors.Is(err, errNoSource):
		return k, err.Error(), nil
	case err != nil:
		return nil, "", err
	case o.State != forge.Open && o.State != forge.Merged: // until what was merged is delivered, what is delivered undoes it
		return k, fmt.Sprintf("pull request %s is %s", o.URL, o.State), nil
	}
	return k, "", nil
}

// object is the object as it is now.
func (h *Holds) object(ctx context.Context, r gate.Ref) (*unstructured.Unstructured, error) {
	now := blank(r)
	err := h.Proposals.Detector.Client.Get(ctx, client.ObjectKeyFromObject(now), now)
	switch {
	case apierrors.IsNotFound(err) || err == nil && string(now.GetUID()) != r.UID:
		return nil, fmt.Errorf("live %s: %w", r, acting.ErrGone)
	case err != nil:
		return nil, fmt.Errorf("read live %s: %w", r, err)
	}
	return now, nil
}

// blank is an object of which nothing is said but which one it is.
func blank(r gate.Ref) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind})
	u.SetNamespace(r.Namespace)
	u.SetName(r.Name)
	return u
}

// deliverer is the Kustomization of Flux that delivers an object, by the labels that Flux gave it. why says that there is none.
func (h *Holds) deliverer(ctx context.Context, now *unstructured.Unstructured) (by client.ObjectKey, why string, err error) {
	by, byFlux := kustomizationOf(&look{labels: now.GetLabels()}, nil)
	if !byFlux {
		return by, "no Kustomization of Flux delivers it, and only those can be held: not a HelmRelease, and not Argo CD", nil
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(fluxMarks[0].kind)
	switch err := h.Proposals.Detector.Client.Get(ctx, by, u); {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return by, "Kustomization " + by.String() + ", which its labels name, is not there", nil
	case err != nil:
		return by, "", fmt.Errorf("read Kustomization %s: %w", by, err)
	}
	return by, "", nil
}
