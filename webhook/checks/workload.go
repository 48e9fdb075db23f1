package checks

import (
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// FromObject reads a Workload out of an apps/v1 Deployment, StatefulSet or DaemonSet, a batch/v1 Job or CronJob, a Pod, an
// unstructured Rollout of argoproj.io, or an object that a Shape reads. Fields that a manifest leaves out get the API
// server's defaults, so that a file reads like the object that it becomes.
func FromObject(obj runtime.Object) (Workload, error) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return fromDeployment(o), nil
	case *appsv1.StatefulSet:
		return fromStatefulSet(o), nil
	case *appsv1.DaemonSet:
		return fromDaemonSet(o), nil
	case *batchv1.Job:
		return fromJob(o), nil
	case *batchv1.CronJob:
		return fromCronJob(o), nil
	case *corev1.Pod:
		return fromPod(o)
	case *Shaped:
		return o.workload()
	case *unstructured.Unstructured:
		if o.GroupVersionKind() == RolloutKind {
			return fromRollout(o)
		}
		return Workload{}, fmt.Errorf("read workload: %s is not a kind that is scored", o.GroupVersionKind())
	}
	return Workload{}, fmt.Errorf("read workload: %T is not a kind that is scored", obj)
}

func fromDeployment(d *appsv1.Deployment) Workload {
	w := common(appsv1.SchemeGroupVersion.WithKind("Deployment"), &d.ObjectMeta, d.Spec.Selector, &d.Spec.Template)
	w.Replicas = orElse(d.Spec.Replicas, 1)
	w.Paused = d.Spec.Paused
	w.Revision = d.Annotations["deployment.kubernetes.io/revision"]
	w.Recreate = d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	if w.Recreate {
		w.MaxUnavailable = w.Replicas
	} else {
		rolling := d.Spec.Strategy.RollingUpdate
		if rolling == nil {
			rolling = &appsv1.RollingUpdateDeployment{}
		}
		w.MaxSurge = resolve(rolling.MaxSurge, "25%", w.Replicas, true)
		w.MaxUnavailable = resolve(rolling.MaxUnavailable, "25%", w.Replicas, false)
		if w.MaxSurge == 0 && w.MaxUnavailable == 0 {
			w.MaxUnavailable = 1 // as the controller does when rounding leaves neither
		}
		w.MaxUnavailable = min(w.MaxUnavailable, w.Replicas)
	}
	w.Status = Status{Observed: d.Status.ObservedGeneration >= d.Generation, Desired: w.Replicas,
		Ready: d.Status.ReadyReplicas, Available: d.Status.AvailableReplicas, Stuck: stuck(d.Status.Conditions),
		Updated: d.Status.UpdatedReplicas, Outdated: max(0, d.Status.Replicas-d.Status.UpdatedReplicas)}
	return w
}

// stuck is the controller's word that the Deployment does not get on: its deadline has passed, pods cannot be created, or it
// is short of pods although its last rollout is through.
func stuck(conditions []appsv1.DeploymentCondition) string {
	through := false
	for _, c := range conditions {
		late := c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded"
		refused := c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue
		if late || refused {
			return c.Reason + ": " + c.Message
		}
		through = through || c.Type == appsv1.DeploymentProgressing && c.Reason == "NewReplicaSetAvailable"
	}
	for _, c := range conditions {
		if through && c.Type == appsv1.DeploymentAvailable && c.Status == corev1.ConditionFalse {
			return c.Reason + ": " + c.Message
		}
	}
	return ""
}

func fromStatefulSet(s *appsv1.StatefulSet) Workload {
	w := common(appsv1.SchemeGroupVersion.WithKind("StatefulSet"), &s.ObjectMeta, s.Spec.Selector, &s.Spec.Template)
	w.Replicas = orElse(s.Spec.Replicas, 1)
	w.Revision = s.Status.CurrentRevision
	w.VolumeClaims = s.Spec.VolumeClaimTemplates
	w.ServiceName = s.Spec.ServiceName
	w.OnDelete = s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
	w.MaxUnavailable = min(1, w.Replicas)
	if rolling := s.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
		w.Partition = orElse(rolling.Partition, 0)
		if rolling.MaxUnavailable != nil {
			w.MaxUnavailable = min(max(1, resolve(rolling.MaxUnavailable, "1", w.Replicas, false)), w.Replicas)
		}
	}
	if s.Spec.UpdateStrategy.Type == appsv1.RecreateStatefulSetStrategyType {
		w.Recreate, w.MaxUnavailable = true, w.Replicas
	}
	w.Status = Status{Observed: s.Status.ObservedGeneration >= s.Generation, Desired: w.Replicas,
		Ready: s.Status.ReadyReplicas, Available: s.Status.AvailableReplicas, Updated: s.Status.UpdatedReplicas}
	if s.Status.CurrentRevision != s.Status.UpdateRevision {
		w.Status.Outdated = max(0, s.Status.Replicas-s.Status.UpdatedReplicas-w.Partition)
	}
	return w // its Progressing condition, unlike a Deployment's, is False when all is done: it says nothing of failure
}

func fromDaemonSet(d *appsv1.DaemonSet) Workload {
	w := common(appsv1.SchemeGroupVersion.WithKind("DaemonSet"), &d.ObjectMeta, d.Spec.Selector, &d.Spec.Template)
	w.Replicas = d.Status.DesiredNumberScheduled
	w.Revision = strconv.FormatInt(d.Generation, 10)
	w.OnDelete = d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	rolling := d.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil {
		rolling = &appsv1.RollingUpdateDaemonSet{}
	}
	w.MaxSurge = resolve(rolling.MaxSurge, "0", w.Replicas, true)
	w.MaxUnavailable = min(resolve(rolling.MaxUnavailable, "1", w.Replicas, true), w.Replicas)
	w.Status = Status{Observed: d.Status.ObservedGeneration >= d.Generation, Desired: d.Status.DesiredNumberScheduled,
		Ready: d.Status.NumberReady, Available: d.Status.NumberAvailable, Updated: d.Status.UpdatedNumberScheduled,
		Outdated: max(0, d.Status.CurrentNumberScheduled-d.Status.UpdatedNumberScheduled)}
	return w
}

func common(kind schema.GroupVersionKind, meta metav1.Object, selector *metav1.LabelSelector, template *corev1.PodTemplateSpec) Workload {
	ref := gate.Ref{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Namespace: meta.GetNamespace(), Name: meta.GetName(), UID: string(meta.GetUID())}
	return Workload{Selector: selector, Template: *template, DependsOn: meta.GetAnnotations()[DependsOn], Ref: ref, Origin: originOf(meta, ref)}
}

// resolve turns an absolute number or a percentage of replicas into a number, never below zero. What the API server would
// refuse counts as zero: it never becomes a rollout.
func resolve(v *intstr.IntOrString, otherwise string, replicas int32, roundUp bool) int32 {
	if v == nil {
		parsed := intstr.Parse(otherwise)
		v = &parsed
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(v, int(replicas), roundUp)
	if err != nil {
		return 0
	}
	return int32(max(0, min(n, 1<<30)))
}

func orElse(n *int32, otherwise int32) int32 {
	if n == nil {
		return otherwise
	}
	return *n
}
