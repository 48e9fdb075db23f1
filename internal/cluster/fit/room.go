package fit

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
)

// room is whether a node has enough left of everything that the pod asks for, and a slot for it.
func (d *demand) room(n *corev1.Node) bool {
	return d.slots(n) > 0 && d.short(n, d.held[n.Name]) == ""
}

// slots is how many more pods a node takes. One that does not say takes any number.
func (d *demand) slots(n *corev1.Node) int64 {
	slots, says := n.Status.Allocatable[corev1.ResourcePods]
	if !says {
		return 1
	}
	return slots.Value() - int64(len(d.pods[n.Name]))
}

// short is the first thing of which a node has not enough, with so much of it held by others; empty for none.
func (d *demand) short(n *corev1.Node, held corev1.ResourceList) corev1.ResourceName {
	for _, k := range slices.Sorted(maps.Keys(d.asks)) {
		if ask := d.asks[k]; ask.Sign() > 0 && ask.Cmp(free(n, k, held)) > 0 {
			return k
		}
	}
	return ""
}

func free(n *corev1.Node, k corev1.ResourceName, held corev1.ResourceList) resource.Quantity {
	q := n.Status.Allocatable[k].DeepCopy()
	q.Sub(held[k])
	return q
}

// tellRoom says of which resource there is not enough: of that which most nodes lack. Where even empty none would hold the pod,
// more room is no help.
func tellRoom(d *demand, left []*corev1.Node) (Barrier, string) {
	lacking := func(held func(*corev1.Node) corev1.ResourceList) (corev1.ResourceName, bool) {
		short := map[corev1.ResourceName]int{}
		for _, n := range left {
			k := d.short(n, held(n))
			if k == "" && held(n) == nil {
				return "", false
			}
			short[k]++
		}
		delete(short, "")
		return most(short)
	}
	if k, never := lacking(func(*corev1.Node) corev1.ResourceList { return nil }); never {
		ask, has := d.asks[k], largest(left, k, nil)
		return TooLarge, fmt.Sprintf("asks %s %s; the largest of %s that suit has %s", ask.String(), k, plural(len(left), "node"), has.String())
	}
	for _, n := range left {
		if above := d.above(n); len(above) > 0 && d.short(n, d.without(n, above)) == "" {
			return Outranked, fmt.Sprintf("on node %s it would have room without %s of higher priority", n.Name, plural(len(above), "pod"))
		}
	}
	k, found := lacking(func(n *corev1.Node) corev1.ResourceList { return d.held[n.Name] })
	if !found {
		return OtherRoom, fmt.Sprintf("%s that suit have no slot for another pod", plural(len(left), "node"))
	}
	ask, has := d.asks[k], largest(left, k, d.held)
	why := fmt.Sprintf("asks %s %s; of %s that suit none has more than %s free", ask.String(), k, plural(len(left), "node"), has.String())
	switch k {
	case corev1.ResourceCPU:
		return CPU, why
	case corev1.ResourceMemory:
		return Memory, why
	}
	return OtherRoom, why
}

// most is the resource of which most nodes have not enough; of equals, the first by name.
func most(short map[corev1.ResourceName]int) (corev1.ResourceName, bool) {
	var worst corev1.ResourceName
	for _, k := range slices.Sorted(maps.Keys(short)) {
		if worst == "" || short[k] > short[worst] {
			worst = k
		}
	}
	return worst, worst != ""
}

// largest is the most that one of the nodes has free of a resource.
func largest(nodes []*corev1.Node, k corev1.ResourceName, held map[string]corev1.ResourceList) resource.Quantity {
	var most resource.Quantity
	for _, n := range nodes {
		if q := free(n, k, held[n.Name]); q.Cmp(most) > 0 {
			most = q
		}
	}
	return most
}

// ofSystem is the least priority of what the cluster itself cannot do without: nobody expects to be ranked above that.
const ofSystem = 2_000_000_000

// above are the pods on a node that are ranked above the pod, what belongs to the cluster itself left aside.
func (d *demand) above(n *corev1.Node) (all []*corev1.Pod) {
	for _, p := range d.pods[n.Name] {
		if rank := scheduling.PodPriority(p); rank > scheduling.PodPriority(d.pod) && rank < ofSystem {
			all = append(all, p)
		}
	}
	return all
}

// without is what is held on a node but for some pods.
func (d *demand) without(n *corev1.Node, those []*corev1.Pod) corev1.ResourceList {
	held := corev1.ResourceList{}
	for _, p := range d.pods[n.Name] {
		if !slices.Contains(those, p) {
			Add(held, Requests(p))
		}
	}
	return held
}
