package webhook

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	// aroundClaims is how many claims of one rollout are read; aroundPods of how many of its pods.
	aroundClaims, aroundPods = 50, 50
	aroundBudget             = 5 * time.Second
)

// Around looks at what decides about single places: the neighbours in the namespace, and where volumes can be reached. It
// asks the API server for claims and their volumes one by one, so it has no place in a request: only the judge has one,
// and a review, which somebody waits for.
type Around struct {
	Pods    client.Reader // a cache will do
	Volumes client.Reader // live: claims are cached as metadata only
}

// Look notes the surroundings of the rollout in its world. What cannot be read is unknown.
func (a Around) Look(ctx context.Context, r *checks.Rollout) []gate.Evidence {
	ctx, cancel := context.WithTimeout(ctx, aroundBudget)
	defer cancel()
	around := &checks.Surroundings{Pods: a.neighbours(ctx, r), Volumes: map[string]gate.Fact[*corev1.NodeSelector]{}}
	for ordinal := range min(int(r.New.Replicas), aroundPods) {
		for _, claim := range checks.ClaimsOf(r.New, ordinal) {
			if _, asked := around.Volumes[claim]; !asked && len(around.Volumes) < aroundClaims {
				around.Volumes[claim] = a.reach(ctx, client.ObjectKey{Namespace: r.New.Ref.Namespace, Name: claim})
			}
		}
	}
	r.World.Around = around
	seen := gate.Evidence{ID: checks.EvidenceAround, Source: "neighbours and volumes", At: r.World.At, Trust: gate.FromAPI}
	pods, known := around.Pods.Get()
	if !known {
		seen.Unread = around.Pods.Why()
		return []gate.Evidence{seen}
	}
	seen.Text = fmt.Sprintf("%d other pods with a node, %d claims", len(pods), len(around.Volumes))
	return []gate.Evidence{seen}
}

// neighbours are the pods of others in the namespace that have a node.
func (a Around) neighbours(ctx context.Context, r *checks.Rollout) gate.Fact[[]*corev1.Pod] {
	own, known := r.World.Pods.Get()
	if !known {
		return gate.Unknown[[]*corev1.Pod](r.World.Pods.Why())
	}
	mine := map[types.UID]bool{}
	for i := range own {
		mine[own[i].UID] = true
	}
	var list corev1.PodList
	if err := a.Pods.List(ctx, &list, client.InNamespace(r.New.Ref.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return gate.Unknown[[]*corev1.Pod](because(err))
	}
	all := []*corev1.Pod{}
	for i := range list.Items {
		p := &list.Items[i]
		ended := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		if p.Spec.NodeName != "" && !ended && !mine[p.UID] {
			all = append(all, p)
		}
	}
	return gate.Known(all)
}

// reach is where the volume of a claim can be reached, nil for anywhere: so it is for a claim without a volume yet, which
// gets one where its pod comes to be, and for one that is not there, which is told elsewhere.
func (a Around) reach(ctx context.Context, claim client.ObjectKey) gate.Fact[*corev1.NodeSelector] {
	var c corev1.PersistentVolumeClaim
	var v corev1.PersistentVolume
	err := a.Volumes.Get(ctx, claim, &c)
	if err == nil && c.Spec.VolumeName != "" {
		err = a.Volumes.Get(ctx, client.ObjectKey{Name: c.Spec.VolumeName}, &v)
	}
	switch {
	case apierrors.IsNotFound(err):
		return gate.Known[*corev1.NodeSelector](nil)
	case err != nil:
		return gate.Unknown[*corev1.NodeSelector](because(err))
	case v.Spec.NodeAffinity == nil:
		return gate.Known[*corev1.NodeSelector](nil)
	}
	return gate.Known(v.Spec.NodeAffinity.Required)
}
