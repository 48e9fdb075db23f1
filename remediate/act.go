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

// Hands is this face's part of acting on its Cases: it evicts one pod, or takes a Deployment back to an earlier revision.
type Hands struct {
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
	// HandsOff is for how long after somebody else wrote a workload its template is not changed. Default 15 min.
	HandsOff time.Duration
	// Steady is how long a container has to run and be ready before it counts as well. Default 1 min, and at most half of HealthyDelay.
	Steady time.Duration

	first eye
}

var _ acting.Face = (*Hands)(nil)

// Complete checks that nothing is missing, and fills in what may be left out.
func (a *Hands) Complete() error {
	if a.Reader == nil || a.Client == nil || a.Evict == nil || a.Now == nil {
		return errors.New("prepare to act on workloads: Reader, Client, Evict and Now are all needed")
	}
	if a.Owners == nil {
		a.Owners = a.Client
	}
	if a.HealthyDelay < 0 || a.Steady < 0 || a.HandsOff < 0 {
		return fmt.Errorf("prepare to act on workloads: %s, %s and %s are not all times to wait", a.HealthyDelay, a.Steady, a.HandsOff)
	}
	if a.HandsOff == 0 {
		a.HandsOff = handsOff
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
func (a *Hands) live() eye {
	return eye{reader: a.Client, owners: a.Owners, settle: a.Steady, roots: newRoots(maxRoots, maxRoots, rootsFor)}
}

// Name is that of this face.
func (a *Hands) Name() gate.Face { return gate.FaceRemediate }

// Reach is how far what is done here reaches.
func (a *Hands) Reach() gate.Reach { return gate.ReachLive }

// Ours is whether a Case is named by what it tells of.
func (a *Hands) Ours(c *v1alpha1.Case) bool {
	k, ok := keyOf(c)
	return ok && c.Name == signalOf(k).CaseName()
}

// Over is whether the workload has recovered or is gone.
func (a *Hands) Over(c *v1alpha1.Case) bool { return Over(c) }

// Tell says how an action came out.
func (a *Hands) Tell(plan gate.Action, o gate.Outcome, text string) string {
	if cluster.Amends(plan.Verb) {
		return a.tellAmended(plan, o, text)
	}
	switch o {
	case gate.OutcomeDone:
		return fmt.Sprintf("evicted %s; in %s it is looked at whether that helped", plan.Target.Name, a.HealthyDelay)
	case gate.OutcomeUnknown:
		return fmt.Sprintf("nobody knows whether %s was evicted, and that is found out: %s", plan.Target.Name, text)
	}
	return fmt.Sprintf("%s was not evicted: %s", plan.Target.Name, text)
}

// Fate is what became of an action, by what is left of its target. That a pod is gone is no proof of who did it, and the text
// says so; it counts as done, so that nothing is done again for it. An error means that nobody can say, now.
func (a *Hands) Fate(ctx context.Context, c *v1alpha1.Case, target gate.Ref) (gate.Outcome, string, error) {
	if cluster.Amends(c.Status.Acting.Verb) {
		return a.fateOf(ctx, c, target)
	}
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
