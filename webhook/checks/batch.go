package checks

import (
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fromJob reads a Job. Its replicas are how many of its pods run at once; a Job that is suspended is paused.
func fromJob(j *batchv1.Job) Workload {
	w := common(batchv1.SchemeGroupVersion.WithKind("Job"), &j.ObjectMeta, j.Spec.Selector, &j.Spec.Template)
	w.Once, w.Replicas, w.Paused = true, atOnce(&j.Spec), yes(j.Spec.Suspend)
	w.Status = Status{Observed: true, Desired: w.Replicas, Available: j.Status.Active, Stuck: failed(j.Status.Conditions)}
	if j.Status.Ready != nil {
		w.Status.Ready = *j.Status.Ready
	}
	return w
}

// failed is the controller's word that the Job is over without success.
func failed(conditions []batchv1.JobCondition) string {
	for _, c := range conditions {
		if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
			return c.Reason + ": " + c.Message
		}
	}
	return ""
}

// fromCronJob reads a CronJob. Its replicas are those of one run; its pods are those of its Jobs, and so it has none itself.
func fromCronJob(c *batchv1.CronJob) Workload {
	spec := &c.Spec.JobTemplate.Spec
	w := common(batchv1.SchemeGroupVersion.WithKind("CronJob"), &c.ObjectMeta, nil, &spec.Template)
	w.Once, w.Later, w.Replicas = true, true, atOnce(spec)
	w.Paused = yes(c.Spec.Suspend)
	w.Overlaps = c.Spec.ConcurrencyPolicy == "" || c.Spec.ConcurrencyPolicy == batchv1.AllowConcurrent
	if yes(spec.Suspend) {
		w.Replicas = 0 // each run waits until somebody resumes it
	}
	w.Status.Observed = true
	return w
}

// atOnce is how many pods of a Job run side by side: its parallelism, and never more than it has to complete.
func atOnce(spec *batchv1.JobSpec) int32 {
	n := max(0, orElse(spec.Parallelism, 1))
	if spec.Completions != nil {
		n = min(n, max(0, *spec.Completions))
	}
	return n
}

// tokenVolume begins the name of the volume that the API server itself mounts into every pod, with a random ending.
const tokenVolume = "kube-api-access-"

// fromPod reads a Pod that nobody else makes. What the API server has put into it beside what its author wrote is left out.
func fromPod(p *corev1.Pod) (Workload, error) {
	if owner := metav1.GetControllerOfNoCopy(p); owner != nil {
		return Workload{}, fmt.Errorf("read workload: Pod %s is part of %s %s, and is scored with it", p.Name, owner.Kind, owner.Name)
	}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: p.Labels, Annotations: p.Annotations}, Spec: p.Spec}
	added := func(name string) bool { return strings.HasPrefix(name, tokenVolume) }
	template.Spec.Volumes = slices.DeleteFunc(slices.Clone(p.Spec.Volumes), func(v corev1.Volume) bool { return added(v.Name) && v.Projected != nil })
	template.Spec.InitContainers = withoutMounts(p.Spec.InitContainers, added)
	template.Spec.Containers = withoutMounts(p.Spec.Containers, added)
	if template.Spec.ServiceAccountName == "default" {
		template.Spec.ServiceAccountName, template.Spec.DeprecatedServiceAccount = "", ""
	}
	w := common(corev1.SchemeGroupVersion.WithKind("Pod"), &p.ObjectMeta, nil, &template)
	w.Once, w.Replicas = true, 1
	w.Status = Status{Observed: true, Desired: 1}
	return w, nil
}

func withoutMounts(containers []corev1.Container, gone func(name string) bool) []corev1.Container {
	out := slices.Clone(containers)
	for i := range out {
		out[i].VolumeMounts = slices.DeleteFunc(slices.Clone(out[i].VolumeMounts), func(m corev1.VolumeMount) bool { return gone(m.Name) })
	}
	return out
}
