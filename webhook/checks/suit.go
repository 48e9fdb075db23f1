package checks

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// alone reports whether two of these pods cannot share a node: they take a port of the host, or say so by anti-affinity.
func alone(pod *corev1.Pod) bool {
	for _, c := range longRunning(&pod.Spec, true) {
		if slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return p.HostPort > 0 || pod.Spec.HostNetwork && p.ContainerPort > 0
		}) {
			return true
		}
	}
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAntiAffinity == nil {
		return false
	}
	for _, t := range pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
		own := len(t.Namespaces) == 0 && t.NamespaceSelector == nil && len(t.MatchLabelKeys) == 0 && len(t.MismatchLabelKeys) == 0
		if own && t.TopologyKey == corev1.LabelHostname && selects(t.LabelSelector, pod.Labels) {
			return true
		}
	}
	return false
}

// selects reports whether the selector picks the labels. One that is missing or makes no sense picks nothing.
func selects(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}
