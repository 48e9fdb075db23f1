package remediate

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// rollout reads how the pods of a rollout fare that makes no progress. Where they show a symptom of their own, or may not be created,
// that is told of them, and the rollout is not told besides.
func (e eye) rollout(ctx context.Context, w *causes.World) error {
	d, workload, err := e.deploying(ctx, w)
	if err != nil {
		return err
	}
	pods, err := e.kin(ctx, w)
	if err != nil {
		return err
	}
	refused := slices.ContainsFunc(w.Objects, func(o causes.Object) bool {
		c, says := o.Condition(string(appsv1.DeploymentReplicaFailure))
		return says && c.Status == string(corev1.ConditionTrue)
	})
	if refused || e.ail(pods, w) {
		spare(w, causes.Unwell)
		return nil
	}
	if workload == "" {
		return nil
	}
	for _, p := range pods {
		d.count(p, workload, w.At, e.settle)
	}
	w.Rollout = &d.Rollout
	beheld(w, causes.EvidenceRollout, "pods of "+w.Root.Kind+"/"+w.Root.Name, fmt.Sprintf("%d of the newest revision, %d ready; %d of others, %d ready; %d past their time to end",
		d.Fresh, d.FreshReady, d.Others, d.OthersReady, d.Lingering), nil)
	return nil
}

// counting is a Rollout that is being counted.
type counting struct{ causes.Rollout }

// deploying reads what the workload asks for, and the hash of its newest revision; empty where nobody can say.
func (e eye) deploying(ctx context.Context, w *causes.World) (counting, string, error) {
	var c counting
	key := client.ObjectKey{Namespace: w.Root.Namespace, Name: w.Root.Name}
	switch w.Root.Kind {
	case "Deployment":
		var d appsv1.Deployment
		if err := e.owners.Get(ctx, key, &d); err != nil {
			return c, "", ignored(err)
		}
		c.MinReady = time.Duration(d.Spec.MinReadySeconds) * time.Second
		if d.Spec.ProgressDeadlineSeconds != nil {
			c.WithinAll = time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second
		}
		beside, err := e.replicaSets(ctx, w.Root)
		return c, newest(beside.items, w.Root.UID), err
	case "StatefulSet":
		var s appsv1.StatefulSet
		err := e.owners.Get(ctx, key, &s)
		return c, s.Status.UpdateRevision, ignored(err)
	case "DaemonSet":
		return c, "", nil // its newest revision is in a ControllerRevision; what shows is told without it
	}
	return c, "", nil
}

// ignored is an error that is worth another try.
func ignored(err error) error {
	if err != nil && refused(err) {
		return nil
	}
	return err
}

// newest is the hash of the ReplicaSet of a Deployment that has the highest number.
func newest(sets []appsv1.ReplicaSet, deployment string) string {
	hash, most := "", int64(0)
	for i := range sets {
		s := &sets[i]
		if n := number(s); n > most && slices.ContainsFunc(s.OwnerReferences, func(o metav1.OwnerReference) bool { return string(o.UID) == deployment }) {
			hash, most = s.Labels[appsv1.DefaultDeploymentUniqueLabelKey], n
		}
	}
	return hash
}

func (c *counting) count(p *corev1.Pod, newest string, at time.Time, patience time.Duration) {
	switch {
	case p.DeletionTimestamp != nil: // it is the time by which it should be gone
		if at.Sub(p.DeletionTimestamp.Time) >= patience {
			c.Lingering++
			c.LingersOn = p.Spec.NodeName
		}
	case causes.Ended(p):
	case revisionOf(p) == newest:
		c.Fresh++
		if podReady(p) {
			c.FreshReady++
		}
	default:
		c.Others++
		if podReady(p) {
			c.OthersReady++
		}
	}
}

// runs finds out whether a later run of what failed succeeded: then it is over.
func (e eye) runs(_ context.Context, w *causes.World) error {
	var done time.Time
	for _, o := range w.Objects {
		if c, says := o.Condition(string(batchv1.JobComplete)); says && c.Status == string(corev1.ConditionTrue) && c.Since.After(done) {
			done = c.Since
		}
	}
	for i := range w.Objects {
		o := &w.Objects[i]
		if c, says := o.Condition(string(batchv1.JobFailed)); says && o.State == causes.Stuck && c.Since.Before(done) {
			o.State = causes.Well
		}
	}
	return nil
}
