package fit

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelpers "k8s.io/component-helpers/resource"
)

// Usage is what one pod is charged for, under the names that a ResourceQuota uses.
func Usage(pod *corev1.Pod) corev1.ResourceList {
	one := *resource.NewQuantity(1, resource.DecimalSI)
	u := corev1.ResourceList{"pods": one, "count/pods": one}
	for k, q := range Requests(pod) {
		u[corev1.ResourceName("requests."+string(k))] = q
		switch k {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
			u[k] = q
		}
		if strings.HasPrefix(string(k), corev1.ResourceHugePagesPrefix) {
			u[k] = q
		}
	}
	for k, q := range resourcehelpers.PodLimits(pod, resourcehelpers.PodResourcesOptions{}) {
		switch k {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
			u[corev1.ResourceName("limits."+string(k))] = q
		}
	}
	return u
}
