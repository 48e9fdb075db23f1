package checks

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// suit says which nodes the pods may go to, by name, labels and taints: what stays true whatever the load.
type suit struct {
	node        string
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

// conditionTaints prefixes the taints by which the cluster itself marks how a node fares; they come and go.
const conditionTaints = "node.kubernetes.io/"

// suitability compiles the pod's demands on nodes. A DaemonSet's pods tolerate the conditions of nodes by themselves.
func suitability(pod *corev1.Pod, daemon bool) suit {
	s := suit{node: pod.Spec.NodeName, tolerations: pod.Spec.Tolerations,
		affinity: nodeaffinity.NewRequiredNodeAffinity(pod.Spec.NodeSelector, pod.Spec.Affinity)}
	if daemon {
		s.tolerations = slices.Clone(s.tolerations)
		for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeDiskPressure,
			corev1.TaintNodeMemoryPressure, corev1.TaintNodePIDPressure, corev1.TaintNodeUnschedulable} {
			s.tolerations = append(s.tolerations, corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists})
		}
	}
	return s
}

// match reports whether the node suits the pods, its present condition left aside.
func (s suit) match(n *corev1.Node) bool {
	if s.node != "" && s.node != n.Name {
		return false
	}
	// An affinity that cannot be understood matches nothing here as in the scheduler.
	if ok, err := s.affinity.Match(n); err != nil || !ok {
		return false
	}
	return s.tolerated(n, func(t *corev1.Taint) bool { return !strings.HasPrefix(t.Key, conditionTaints) })
}

// open reports whether the node takes new pods of this kind now: neither cordoned nor in a condition that keeps them off.
func (s suit) open(n *corev1.Node, daemon bool) bool {
	if daemon {
		return s.tolerated(n, nil)
	}
	cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if n.Spec.Unschedulable && !scheduling.TolerationsTolerateTaint(klog.Logger{}, s.tolerations, &cordon, false) {
		return false
	}
	return ready(n) && s.tolerated(n, nil)
}

func (s suit) tolerated(n *corev1.Node, consider func(*corev1.Taint) bool) bool {
	keeps := func(t *corev1.Taint) bool {
		hard := t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
		return hard && (consider == nil || consider(t))
	}
	_, untolerated := scheduling.FindMatchingUntoleratedTaint(klog.Logger{}, n.Spec.Taints, s.tolerations, keeps, false)
	return !untolerated
}

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
