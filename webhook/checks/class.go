package checks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// ClassOf names the class of a node: nodes of one class suit the same pods, unless a pod asks for a node by its name. A
// cluster has few classes and many nodes, so what costs a clause of a manifest each time is done once a class.
//
// A class is what a pod can choose by, all labels but the host's name, and whether the node takes pods now: taints, cordon,
// readiness. What there is room for is no part of it: machines of one make differ in their last kilobytes.
func ClassOf(n *corev1.Node) string {
	h := sha256.New()
	say := func(parts ...string) {
		for _, p := range parts {
			h.Write([]byte(strconv.Itoa(len(p)) + ":" + p)) // no two lists come out as the same bytes
		}
	}
	for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
		if k != corev1.LabelHostname {
			say(k, n.Labels[k])
		}
	}
	taints := slices.SortedFunc(slices.Values(n.Spec.Taints), func(a, b corev1.Taint) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Effect, b.Effect))
	})
	say("taints")
	for _, t := range taints {
		say(t.Key, t.Value, string(t.Effect))
	}
	say("takes", strconv.FormatBool(n.Spec.Unschedulable), strconv.FormatBool(ready(n)))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// ready reports whether the node is ready, as far as it says: one that never said is taken to be.
func ready(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return false
		}
	}
	return true
}

// finder asks of nodes whether they suit the pods, once a class where the pods ask for no node by its name.
type finder struct {
	suit   suit
	daemon bool
	named  bool
	said   map[string]verdict
}

// verdict is what holds for every node of a class.
type verdict struct{ match, open bool }

func newFinder(pod *corev1.Pod, daemon bool) *finder {
	return &finder{suit: suitability(pod, daemon), daemon: daemon, named: byName(&pod.Spec), said: map[string]verdict{}}
}

// of says whether the node suits the pods, and whether it takes them now.
func (f *finder) of(n Node) verdict {
	if v, asked := f.said[n.Class]; asked && n.Class != "" && !f.named {
		return v
	}
	v := verdict{match: f.suit.match(n.Object)}
	v.open = v.match && f.suit.open(n.Object, f.daemon)
	if n.Class != "" {
		f.said[n.Class] = v
	}
	return v
}

// byName reports whether the pod may choose a node by its name or the host's.
func byName(spec *corev1.PodSpec) bool {
	if _, host := spec.NodeSelector[corev1.LabelHostname]; host || spec.NodeName != "" {
		return true
	}
	if spec.Affinity == nil || spec.Affinity.NodeAffinity == nil || spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return false
	}
	return slices.ContainsFunc(spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms, func(t corev1.NodeSelectorTerm) bool {
		return len(t.MatchFields) > 0 || slices.ContainsFunc(t.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool { return r.Key == corev1.LabelHostname })
	})
}
