package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
)

// Evictions is this face's part of acting on its Cases. In this version that is to evict one pod.
type Evictions struct {
	// Reader reads pods and ReplicaSets for a first look, in which most is held. It may be an informer cache.
	Reader client.Reader
	// Client reads without a cache: what is acted on must be what the API server has now.
	Client client.Reader
	// Owners is as in Watcher. Default Client.
	Owners        client.Reader
	Circumstances cluster.Circumstances
	// Evict says what the request is that evicts a pod.
	Evict func(pod gate.Ref) (gate.Request, error)
	Now   func() time.Time

	// HealthyDelay is how long after an action it is looked at whether it helped. Default 2 min.
	HealthyDelay time.Duration
	// Steady is how long a container has to run and be ready before it counts as well. Default 1 min, and at most half of HealthyDelay.
	Steady time.Duration

	first eye
}

var _ acting.Face = (*Evictions)(nil)

// Complete checks that nothing is missing, and fills in what may be left out.
func (a *Evictions) Complete() error {
	if a.Reader == nil || a.Client == nil || a.Evict == nil || a.Now == nil {
		return errors.New("prepare to evict pods: Reader, Client, Evict and Now are all needed")
	}
	if a.Owners == nil {
		a.Owners = a.Client
	}
	if a.HealthyDelay < 0 || a.Steady < 0 {
		return fmt.Errorf("prepare to evict pods: %s and %s are not both times to wait", a.HealthyDelay, a.Steady)
	}
	if a.HealthyDelay == 0 {
		a.HealthyDelay = 2 * time.Minute
	}
	if a.Steady == 0 {
		a.Steady = min(time.Minute, a.HealthyDelay/2) // what is looked at after HealthyDelay must be able to count as well
	}
	a.first = eye{reader: a.Reader, owners: a.Owners, settle: a.Steady, roots: newRoots(maxRoots, allRoots, rootsFor)}
	return nil
}

// live is an eye without any cache.
func (a *Evictions) live() eye {
	return eye{reader: a.Client, owners: a.Owners, settle: a.Steady, roots: newRoots(maxRoots, maxRoots, rootsFor)}
}

// Name is that of this face.
func (a *Evictions) Name() gate.Face { return gate.FaceRemediate }

// Reach is how far an eviction reaches.
func (a *Evictions) Reach() gate.Reach { return gate.ReachLive }

// Ours is whether a Case is named by what it tells of.
func (a *Evictions) Ours(c *v1alpha1.Case) bool {
	k, ok := keyOf(c)
	return ok && c.Name == signalOf(k).CaseName()
}

// Over is whether the workload has recovered or is gone.
func (a *Evictions) Over(c *v1alpha1.Case) bool { return Over(c) }

// Tell says how an eviction came out.
func (a *Evictions) Tell(plan gate.Action, o gate.Outcome, text string) string {
	switch o {
	case gate.OutcomeDone:
		return fmt.Sprintf("evicted %s; in %s it is looked at whether that helped", plan.Target.Name, a.HealthyDelay)
	case gate.OutcomeUnknown:
		return fmt.Sprintf("nobody knows whether %s was evicted, and that is found out: %s", plan.Target.Name, text)
	}
	return fmt.Sprintf("%s was not evicted: %s", plan.Target.Name, text)
}

// Fate is what became of an eviction, by what is left of its target. That a pod is gone is no proof of who did it, and the text
// says so; it counts as done, so that nothing is done again for it. An error means that nobody can say, now.
func (a *Evictions) Fate(ctx context.Context, _ *v1alpha1.Case, target gate.Ref) (gate.Outcome, string, error) {
	var pod corev1.Pod
	err := a.Client.Get(ctx, client.ObjectKey{Namespace: target.Namespace, Name: target.Name}, &pod)
	switch {
	case apierrors.IsNotFound(err) || err == nil && string(pod.UID) != target.UID:
		return gate.OutcomeDone, fmt.Sprintf("how the eviction of %s ended was not known, and it was found gone: by that eviction or by somebody else's doing", target.Name), nil
	case err != nil:
		return gate.OutcomeUnknown, "", fmt.Errorf("read %s: %w", target, err)
	case pod.DeletionTimestamp != nil && slices.ContainsFunc(pod.Status.Conditions, evicted):
		return gate.OutcomeDone, fmt.Sprintf("how the eviction of %s ended was not known, and it was found evicted, on its way out", target.Name), nil
	case pod.DeletionTimestamp != nil:
		return gate.OutcomeDone, fmt.Sprintf("how the eviction of %s ended was not known, and it was found on its way out: by that eviction or by somebody else's doing", target.Name), nil
	}
	return gate.OutcomeRefused, fmt.Sprintf("how the eviction of %s ended was not known, and it still stands: nothing was done", target.Name), nil
}

// evicted is whether a condition says that the pod was evicted through the API.
func evicted(c corev1.PodCondition) bool {
	return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason == "EvictionByEvictionAPI"
}
