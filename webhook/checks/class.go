package checks

import (
	"cmp"
	"crypto/sha256"
	"iter"
	"maps"
	"slices"
	"strconv"
	"unique"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/cluster/fit"
)

// Class is the name of a class of nodes; the zero Class is that of a node which nobody looked at.
type Class struct {
	name unique.Handle[[sha256.Size]byte]
}

// ClassOf names the class of a node: nodes of one class suit the same pods, unless a pod asks for a node by its name. A
// cluster has few classes and many nodes, so what costs a clause of a manifest each time is done once a class.
//
// A class is what a pod can choose by, all labels but the host's name, and whether the node takes pods now and is well: taints,
// cordon, readiness, pressure. What there is room for is no part of it: machines of one make differ in their last kilobytes.
func ClassOf(n *corev1.Node) Class {
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
	say("takes", strconv.FormatBool(n.Spec.Unschedulable), strconv.FormatBool(fit.Ready(n)), strconv.Itoa(ailment(n, false)), strconv.Itoa(ailment(n, true)))
	return Class{unique.Make([sha256.Size]byte(h.Sum(nil)))}
}

// finder asks of nodes whether they suit the pods, once a class where the pods ask for no node by its name.
type finder struct {
	suit   fit.Suit
	daemon bool
	named  bool
	said   map[Class]verdict
}

// verdict is what holds for every node of a class: whether it suits the pods, takes them now, and what it suffers from, as ailment says.
type verdict struct {
	match, open bool
	ailment     int
}

func newFinder(pod *corev1.Pod, daemon bool) *finder {
	return &finder{suit: fit.Suitability(pod, daemon), daemon: daemon, named: byName(&pod.Spec), said: map[Class]verdict{}}
}

func (f *finder) of(n *Node) verdict {
	if v, asked := f.said[n.Class]; asked && n.Class != (Class{}) && !f.named {
		return v
	}
	v := verdict{match: f.suit.Match(n.Object), ailment: ailment(n.Object, f.daemon)}
	v.open = v.match && f.suit.Open(n.Object, f.daemon)
	if n.Class != (Class{}) {
		f.said[n.Class] = v
	}
	return v
}

// suiting are the nodes that suit the pods. It is asked about all nodes at every rollout, so nothing is copied.
func (f *finder) suiting(nodes []Node) iter.Seq[*Node] {
	return f.those(nodes, func(v verdict) bool { return v.match })
}

// open are the nodes that take the pods now.
func (f *finder) open(nodes []Node) iter.Seq[*Node] {
	return f.those(nodes, func(v verdict) bool { return v.open })
}

// many is how many nodes there are.
func many(nodes iter.Seq[*Node]) (n int) {
	for range nodes {
		n++
	}
	return n
}

func (f *finder) those(nodes []Node, are func(verdict) bool) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for i := range nodes {
			if are(f.of(&nodes[i])) && !yield(&nodes[i]) {
				return
			}
		}
	}
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
