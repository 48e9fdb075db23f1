package remediate

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// meant says of the workloads of a namespace of which the selector would pick the pods whether any is there, and whether any is meant
// to have pods now.
func (e eye) meant(ctx context.Context, namespace string, selector labels.Selector) (meant, there bool, err error) {
	see := func(template *corev1.PodTemplateSpec, replicas int32) {
		if selector.Matches(labels.Set(template.Labels)) {
			there, meant = true, meant || replicas > 0
		}
	}
	var deployments appsv1.DeploymentList
	var statefulSets appsv1.StatefulSetList
	var daemonSets appsv1.DaemonSetList
	var sets appsv1.ReplicaSetList
	var jobs batchv1.JobList
	var cronJobs batchv1.CronJobList
	for _, list := range []client.ObjectList{&deployments, &statefulSets, &daemonSets, &sets, &jobs, &cronJobs} {
		if err := e.owners.List(ctx, list, client.InNamespace(namespace)); err != nil && !refused(err) {
			return false, false, fmt.Errorf("list the workloads of namespace %s: %w", namespace, err)
		}
	}
	for i := range deployments.Items {
		see(&deployments.Items[i].Spec.Template, count(deployments.Items[i].Spec.Replicas))
	}
	for i := range statefulSets.Items {
		see(&statefulSets.Items[i].Spec.Template, count(statefulSets.Items[i].Spec.Replicas))
	}
	for i := range sets.Items {
		if len(sets.Items[i].OwnerReferences) == 0 || count(sets.Items[i].Spec.Replicas) > 0 {
			see(&sets.Items[i].Spec.Template, count(sets.Items[i].Spec.Replicas))
		}
	}
	for i := range daemonSets.Items {
		see(&daemonSets.Items[i].Spec.Template, daemonSets.Items[i].Status.DesiredNumberScheduled)
	}
	for i := range jobs.Items {
		see(&jobs.Items[i].Spec.Template, 0)
	}
	for i := range cronJobs.Items {
		see(&cronJobs.Items[i].Spec.JobTemplate.Spec.Template, 0)
	}
	return meant, there, nil
}

func count(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}
