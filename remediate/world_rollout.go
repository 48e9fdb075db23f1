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

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// rollout reads how the pods of a rollout fare that makes no progress. Where they show a symptom of their own, or may not be created,
// that is told of them, and the rollout is not told besides.
func (e eye) rollout(ctx context.Context, w *causes.World) error {
	newest, err := e.latest(ctx, w.Stuck()[0].Ref)
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
	var r causes.Rollout
	for _, p := range pods {
		add(&r, p, newest, w.At, e.settle)
	}
	w.Rollout = &r
	beheld(w, causes.EvidenceRollout, "pods of "+w.Root.Kind+"/"+w.Root.Name, fmt.Sprintf("%d of the newest revision, %d ready; %d of others, %d ready; %d past their time to end",
		r.Fresh, r.FreshReady, r.Others, r.OthersReady, r.Lingering), nil)
	return nil
}

// latest is the hash of the newest revision of a workload; empty where nobody can say, as for a DaemonSet, whose revisions are objects of
// their own.
func (e eye) latest(ctx context.Context, ref gate.Ref) (string, error) {
	switch ref.Kind {
	case "Deployment":
		beside, err := e.replicaSets(ctx, ref)
		return newest(beside.items, ref.UID), err
	case "StatefulSet":
		var s appsv1.StatefulSet
		err := e.owners.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &s)
		return s.Status.UpdateRevision, ignored(err)
	}
	return "", nil
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

// add counts a pod of a rollout. Where nobody can say which revision is the newest, only what lingers is counted.
func add(r *causes.Rollout, p *corev1.Pod, newest string, at time.Time, patience time.Duration) {
	switch {
	case p.DeletionTimestamp != nil: // it is the time by which it should be gone
		if at.Sub(p.DeletionTimestamp.Time) >= patience {
			r.Lingering++
			r.LingersOn = p.Spec.NodeName
		}
	case causes.Ended(p) || newest == "":
	case revisionOf(p) == newest:
		r.Fresh++
		if podReady(p) {
			r.FreshReady++
		}
	default:
		r.Others++
		if podReady(p) {
			r.OthersReady++
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
