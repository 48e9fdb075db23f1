package remediate

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// The law: a Deployment says itself that it makes no progress, after a time that its manifest sets, and that its pods are refused. A
// StatefulSet and a DaemonSet say neither. They are taken to be stuck where their controller has seen the newest manifest, not all
// is as it says, and nothing about that changed for five times as long as a pod is given; and to be refused their pods where there
// are fewer than there should be, and all of those are ready. A partition keeps pods as they are on purpose, and so does who
// deletes pods by hand (OnDelete).

var rolloutWards = []ward{
	{kind: appsv1.SchemeGroupVersion.WithKind("Deployment"), shows: stuckOrRefused,
		one: func() client.Object { return &appsv1.Deployment{} }, list: func() client.ObjectList { return &appsv1.DeploymentList{} },
		signs: deploymentSigns, conditions: deploymentConditions},
	{kind: appsv1.SchemeGroupVersion.WithKind("StatefulSet"), shows: stuckOrRefused,
		one: func() client.Object { return &appsv1.StatefulSet{} }, list: func() client.ObjectList { return &appsv1.StatefulSetList{} },
		signs: statefulSetSigns, conditions: noConditions},
	{kind: appsv1.SchemeGroupVersion.WithKind("DaemonSet"), shows: stuckOrRefused,
		one: func() client.Object { return &appsv1.DaemonSet{} }, list: func() client.ObjectList { return &appsv1.DaemonSetList{} },
		signs: daemonSetSigns, conditions: noConditions},
	{kind: setKind, shows: []causes.Symptom{causes.PodsRefused},
		one: func() client.Object { return &appsv1.ReplicaSet{} }, list: func() client.ObjectList { return &appsv1.ReplicaSetList{} },
		signs: replicaSetSigns, conditions: replicaSetConditions},
}

var (
	stuckOrRefused = []causes.Symptom{causes.RolloutStuck, causes.PodsRefused}
	setKind        = schema.GroupVersionKind{Group: appsv1.GroupName, Version: "v1", Kind: "ReplicaSet"}
)

func noConditions(client.Object) []causes.Condition { return nil }

func deploymentSigns(o client.Object, _ time.Time, _ time.Duration) (signs []causes.Symptom) {
	d, ok := o.(*appsv1.Deployment)
	if !ok || d.DeletionTimestamp != nil || d.Status.ObservedGeneration < d.Generation {
		return nil
	}
	for _, c := range d.Status.Conditions {
		switch {
		case c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded":
			signs = append(signs, causes.RolloutStuck)
		case c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue:
			signs = append(signs, causes.PodsRefused)
		}
	}
	return signs
}

func deploymentConditions(o client.Object) (all []causes.Condition) {
	if d, ok := o.(*appsv1.Deployment); ok {
		for _, c := range d.Status.Conditions {
			all = append(all, condition(string(c.Type), string(c.Status), c.Reason, c.LastTransitionTime))
		}
	}
	return all
}

// replicaSetSigns are those of a ReplicaSet that is no Deployment's: that one says it itself.
func replicaSetSigns(o client.Object, _ time.Time, _ time.Duration) []causes.Symptom {
	s, ok := o.(*appsv1.ReplicaSet)
	if !ok || s.DeletionTimestamp != nil || s.Status.ObservedGeneration < s.Generation {
		return nil
	}
	if c := metav1.GetControllerOfNoCopy(s); c != nil && c.Kind == "Deployment" {
		return nil
	}
	if slices.ContainsFunc(s.Status.Conditions, func(c appsv1.ReplicaSetCondition) bool {
		return c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue
	}) {
		return []causes.Symptom{causes.PodsRefused}
	}
	return nil
}

func replicaSetConditions(o client.Object) (all []causes.Condition) {
	if s, ok := o.(*appsv1.ReplicaSet); ok {
		for _, c := range s.Status.Conditions {
			all = append(all, condition(string(c.Type), string(c.Status), c.Reason, c.LastTransitionTime))
		}
	}
	return all
}

func statefulSetSigns(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
	s, ok := o.(*appsv1.StatefulSet)
	if !ok || s.DeletionTimestamp != nil || s.Status.ObservedGeneration < s.Generation || s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return nil
	}
	want, still := int32(1), now.Sub(written(s, "status"))
	if s.Spec.Replicas != nil {
		want = *s.Spec.Replicas
	}
	fresh := want
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil && r.Partition != nil {
		fresh = max(0, want-*r.Partition)
	}
	if s.Status.UpdateRevision == s.Status.CurrentRevision {
		fresh = 0 // nothing rolls out
	}
	switch {
	case s.Status.Replicas < want && s.Status.ReadyReplicas == s.Status.Replicas && still >= patience:
		return []causes.Symptom{causes.PodsRefused}
	case (s.Status.UpdatedReplicas < fresh || fresh > 0 && s.Status.ReadyReplicas < want) && still >= slowly*patience:
		return []causes.Symptom{causes.RolloutStuck}
	}
	return nil
}

func daemonSetSigns(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
	s, ok := o.(*appsv1.DaemonSet)
	if !ok || s.DeletionTimestamp != nil || s.Status.ObservedGeneration < s.Generation || s.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return nil
	}
	want, still := s.Status.DesiredNumberScheduled, now.Sub(written(s, "status"))
	switch {
	case s.Status.CurrentNumberScheduled < want && still >= patience:
		return []causes.Symptom{causes.PodsRefused}
	case s.Status.UpdatedNumberScheduled < want && still >= slowly*patience:
		return []causes.Symptom{causes.RolloutStuck}
	}
	return nil
}
