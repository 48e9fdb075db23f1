package checks

import (
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// measure is a utilisation that an autoscaler goes by: of one container, or of all where none is named.
type measure struct {
	resource  corev1.ResourceName
	container string
}

// measures returns the utilisations of CPU and memory that the autoscaler goes by. One without metrics goes by CPU.
func measures(s *autoscalingv2.HorizontalPodAutoscaler) []measure {
	if len(s.Spec.Metrics) == 0 {
		return []measure{{resource: corev1.ResourceCPU}}
	}
	var all []measure
	for _, m := range s.Spec.Metrics {
		var of measure
		var target autoscalingv2.MetricTarget
		switch {
		case m.Resource != nil:
			of, target = measure{resource: m.Resource.Name}, m.Resource.Target
		case m.ContainerResource != nil:
			of, target = measure{m.ContainerResource.Name, m.ContainerResource.Container}, m.ContainerResource.Target
		}
		utilisation := target.Type == autoscalingv2.UtilizationMetricType || target.AverageUtilization != nil
		if utilisation && (of.resource == corev1.ResourceCPU || of.resource == corev1.ResourceMemory) {
			all = append(all, of)
		}
	}
	return all
}

// unrequested returns the first container that lacks the request which the utilisation is divided by, empty if none does.
// Requests of the pod as a whole stand in for those of its containers, but not for that of one which is named.
func unrequested(pod *corev1.Pod, m measure) string {
	if res := pod.Spec.Resources; res != nil && m.container == "" {
		if _, ok := res.Requests[m.resource]; ok {
			return ""
		}
		if _, ok := res.Limits[m.resource]; ok {
			return ""
		}
	}
	for _, c := range longRunning(&pod.Spec, true) {
		if m.container != "" && m.container != c.Name {
			continue
		}
		if _, ok := c.Resources.Requests[m.resource]; !ok {
			return c.Name
		}
	}
	return ""
}

func byScalerName(a, b *autoscalingv2.HorizontalPodAutoscaler) int {
	return strings.Compare(a.Name, b.Name)
}
