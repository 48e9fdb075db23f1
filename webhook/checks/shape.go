package checks

import (
	corev1 "k8s.io/api/core/v1"
)

// shape returns the pod that the template will make, as far as resources go: limits stand in for missing requests as the
// API server has it, then the namespace's LimitRanges fill what is still missing. Only spec and labels are set.
func shape(template *corev1.PodTemplateSpec, ranges []corev1.LimitRange) *corev1.Pod {
	pod := &corev1.Pod{Spec: template.Spec}
	pod.Labels = template.Labels
	pod.Spec.InitContainers = filled(template.Spec.InitContainers, ranges)
	pod.Spec.Containers = filled(template.Spec.Containers, ranges)
	return pod
}

// filled copies the containers and completes the copies' resources.
func filled(containers []corev1.Container, ranges []corev1.LimitRange) []corev1.Container {
	out := make([]corev1.Container, len(containers))
	for i, c := range containers {
		requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
		fill(limits, c.Resources.Limits)
		fill(requests, c.Resources.Requests)
		fill(requests, c.Resources.Limits)
		for _, r := range ranges {
			for _, item := range r.Spec.Limits {
				if item.Type == corev1.LimitTypeContainer {
					fill(limits, item.Default)
					fill(limits, item.Max) // the API server makes the maximum the default where there is none
					fill(requests, item.DefaultRequest)
					fill(requests, item.Default)
					fill(requests, item.Max)
					fill(requests, item.Min)
				}
			}
		}
		c.Resources = corev1.ResourceRequirements{Requests: requests, Limits: limits}
		out[i] = c
	}
	return out
}

// fill adds what is missing.
func fill(to, from corev1.ResourceList) {
	for k, q := range from {
		if _, ok := to[k]; !ok {
			to[k] = q
		}
	}
}

// holds reports whether the pod still takes up quota and room: one that has ended does not.
func holds(pod *corev1.Pod) bool {
	return pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}
