package fit

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// Suit says which nodes pods may go to, by name, labels and taints: what stays true whatever the load.
type Suit struct {
	node        string
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

// conditionTaints prefixes the taints by which the cluster itself marks how a node fares; they come and go.
const conditionTaints = "node.kubernetes.io/"

// Suitability compiles the pod's demands on nodes. A DaemonSet's pods tolerate the conditions of nodes by themselves.
func Suitability(pod *corev1.Pod, daemon bool) Suit {
	s := Suit{node: pod.Spec.NodeName, tolerations: pod.Spec.Tolerations,
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

// Match reports whether the node suits the pods, its present condition left aside.
func (s Suit) Match(n *corev1.Node) bool {
	return s.Chooses(n) && s.Tolerated(n, func(t *corev1.Taint) bool { return !strings.HasPrefix(t.Key, conditionTaints) })
}

// Chooses reports whether the pods ask for such a node, by its name or its labels.
func (s Suit) Chooses(n *corev1.Node) bool {
	if s.node != "" && s.node != n.Name {
		return false
	}
	// An affinity that cannot be understood matches nothing here as in the scheduler.
	ok, err := s.affinity.Match(n)
	return err == nil && ok
}

// Open reports whether the node takes new pods of this kind now: neither cordoned nor in a condition that keeps them off.
func (s Suit) Open(n *corev1.Node, daemon bool) bool {
	if daemon {
		return s.Tolerated(n, nil)
	}
	cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if n.Spec.Unschedulable && !scheduling.TolerationsTolerateTaint(klog.Logger{}, s.tolerations, &cordon, false) {
		return false
	}
	return Ready(n) && s.Tolerated(n, nil)
}

// Tolerated reports whether the pods tolerate every taint that keeps pods off, of those to consider; nil considers all.
func (s Suit) Tolerated(n *corev1.Node, consider func(*corev1.Taint) bool) bool {
	keeps := func(t *corev1.Taint) bool {
		hard := t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
		return hard && (consider == nil || consider(t))
	}
	_, untolerated := scheduling.FindMatchingUntoleratedTaint(klog.Logger{}, n.Spec.Taints, s.tolerations, keeps, false)
	return !untolerated
}

// Ready reports whether the node is ready, as far as it says: one that never said is taken to be.
func Ready(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return false
		}
	}
	return true
}
