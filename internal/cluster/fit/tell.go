package fit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// maxName is how long a label or a taint is told at most, in bytes.
const maxName = 80

func tellSelector(d *demand, left []*corev1.Node) (Barrier, string) {
	return Selector, fmt.Sprintf("none of %s has %s", plural(len(left), "node"), d.chooses())
}

// chooses says in a few words by what a pod asks for nodes.
func (d *demand) chooses() string {
	spec := &d.pod.Spec
	for _, k := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		alone := func(n *corev1.Node) bool { return n.Labels[k] == spec.NodeSelector[k] }
		if len(spec.NodeSelector) == 1 || !slices.ContainsFunc(d.nodes, alone) {
			return "the label " + gate.OneLine(k+"="+spec.NodeSelector[k], maxName) + " of its nodeSelector"
		}
	}
	switch {
	case spec.NodeName != "":
		return "the name " + gate.OneLine(spec.NodeName, maxName)
	case len(spec.NodeSelector) > 1:
		return fmt.Sprintf("all %d labels of its nodeSelector", len(spec.NodeSelector))
	}
	return "what its required node affinity asks for"
}

func tellTaint(d *demand, left []*corev1.Node) (Barrier, string) {
	var taints []string
	for _, n := range left {
		for i := range n.Spec.Taints {
			t := &n.Spec.Taints[i]
			said := gate.OneLine(t.Key+"="+t.Value, maxName)
			if !strings.HasPrefix(t.Key, conditionTaints) && !d.suit.Tolerated(n, func(other *corev1.Taint) bool { return *other == *t }) && !slices.Contains(taints, said) {
				taints = append(taints, said)
			}
		}
	}
	return Taint, fmt.Sprintf("%s that it asks for have taints that it does not tolerate: %s", plural(len(left), "node"), strings.Join(taints[:min(len(taints), 3)], ", "))
}

func tellClosed(_ *demand, left []*corev1.Node) (Barrier, string) {
	cordoned, unready := 0, 0
	for _, n := range left {
		switch {
		case n.Spec.Unschedulable:
			cordoned++
		case !Ready(n):
			unready++
		}
	}
	return Closed, fmt.Sprintf("of %s that suit, %d are cordoned, %d not ready, %d under pressure", plural(len(left), "node"), cordoned, unready, len(left)-cordoned-unready)
}

func tellZone(_ *demand, left []*corev1.Node) (Barrier, string) {
	return VolumeZone, fmt.Sprintf("its volume can be reached from none of %s that suit", plural(len(left), "node"))
}

func tellPort(d *demand, left []*corev1.Node) (Barrier, string) {
	var ports []string
	for _, p := range hostPorts(d.pod) {
		ports = append(ports, fmt.Sprint(p.port))
	}
	return HostPort, fmt.Sprintf("the port %s of the host is taken on each of %s that suit", strings.Join(ports[:min(len(ports), 3)], " or "), plural(len(left), "node"))
}

func tellAntiAffinity(d *demand, left []*corev1.Node) (Barrier, string) {
	return AntiAffinity, fmt.Sprintf("on each of %s that have room is, in the same %s, a pod that it may not be beside", plural(len(left), "node"), d.terms.apartBy(left))
}

func tellAffinity(d *demand, left []*corev1.Node) (Barrier, string) {
	return Affinity, fmt.Sprintf("on none of %s that have room is, in the same %s, a pod that it has to be beside", plural(len(left), "node"), besideBy(d.pod))
}

func tellSpread(d *demand, left []*corev1.Node) (Barrier, string) {
	return Spread, d.uneven(left)
}
