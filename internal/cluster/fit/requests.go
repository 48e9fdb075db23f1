package fit

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// Requests is what the scheduler sets aside for the pod: the larger of what its containers ask together and what its init
// containers ask one after the other, sidecars counted with both, and the overhead.
func Requests(pod *corev1.Pod) corev1.ResourceList {
	return resource.PodRequests(pod, resource.PodResourcesOptions{})
}

// Add adds each quantity of one list to another.
func Add(to, from corev1.ResourceList) {
	for k, q := range from {
		sum := to[k].DeepCopy()
		sum.Add(q)
		to[k] = sum
	}
}
