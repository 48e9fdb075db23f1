package checks

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// lookRoom says whether the nodes that take such pods, of which there are so many, have room for the rollout now, and where they have none, whether one
// more node like those that suit would help.
func lookRoom(r Rollout, pod *corev1.Pod, suiting, open iter.Seq[*Node], many int) ([]gate.Finding, []string) {
	var unknown []string
	var own []corev1.Pod
	if r.Old != nil && !r.New.Later {
		pods, known := r.World.Pods.Get()
		if !known {
			return nil, []string{unread("Pods", r.World.Pods)}
		}
		own = pods
	}
	cites := []string{EvidenceWorkload, EvidenceNodes, EvidencePods}
	one := newTile(pod, own)
	if r.New.Ref.Kind == "DaemonSet" {
		full := 0
		for n := range open {
			if one.room(n, true) == 0 {
				full++
			}
		}
		if full == 0 {
			return nil, unknown
		}
		return []gate.Finding{found(pointsNoRoom, gate.Recent, cites, "no room for a pod of %[3]s on %[1]d of %[2]s", full,
			plural(many, "node"), one)}, unknown
	}
	if why := one.lacks(suiting); why != "" {
		return []gate.Finding{found(pointsNeverFits, gate.Recent, cites, "no node could ever hold a pod: %s", why)}, unknown
	}
	want, surge := int64(r.New.Replicas), int64(0)
	if all := stages(r, int64(r.New.Replicas)); len(all) > 1 && r.New.MaxUnavailable == 0 { // or old pods go first
		surge = all[0].new
	}
	var beside, instead int64 // pods that find room beside the old ones, and in their place; no more are counted than are wanted
	for n := range open {
		if instead >= want && beside >= surge {
			return nil, unknown
		}
		room := one.room(n, true)
		instead += room
		if one.own[n.Object.Name] > 0 {
			room = one.room(n, false)
		}
		beside += room
	}
	if instead < want {
		points, when := roomPoints(r, pointsScaleUp)
		if r.New.Once && instead > 0 {
			points = pointsLater // the rest wait for these to end
		}
		return []gate.Finding{found(points, gate.Recent, cites, "%s%s of %s: only %d find room on %s, the rest only after a scale-up",
			when, plural(int(want), "pod"), one, instead, plural(many, "node"))}, unknown
	}
	if beside < surge {
		return []gate.Finding{found(pointsScaleUp, gate.Recent, cites,
			"%s of surge, %s each: only %d find room beside the old ones, the rest only after a scale-up", plural(int(surge), "pod"), one, beside)}, unknown
	}
	return nil, unknown
}

// roomPoints is what it takes that there is no room now, as many as that or fewer, and the words that say of when that is.
func roomPoints(r Rollout, points int) (int, string) {
	if r.New.Later {
		return pointsLater, onceItRuns
	}
	return points, ""
}

// tile is the room that one pod takes on a node.
type tile struct {
	asks  map[corev1.ResourceName]resource.Quantity
	alone bool
	freed map[string]corev1.ResourceList // by node: what the workload's own pods hold there
	own   map[string]int64
}

func newTile(pod *corev1.Pod, own []corev1.Pod) tile {
	t := tile{asks: fit.Requests(pod), alone: alone(pod), freed: map[string]corev1.ResourceList{}, own: map[string]int64{}}
	for i := range own {
		p := &own[i]
		if p.Spec.NodeName == "" || !holds(p) {
			continue
		}
		if t.freed[p.Spec.NodeName] == nil {
			t.freed[p.Spec.NodeName] = corev1.ResourceList{}
		}
		fit.Add(t.freed[p.Spec.NodeName], fit.Requests(p))
		t.own[p.Spec.NodeName]++
	}
	return t
}

// room is how many such pods the node has room for, with the workload's own pods gone or still there.
func (t tile) room(n *Node, gone bool) int64 {
	freed := t.freed[n.Object.Name]
	slots := n.Object.Status.Allocatable[corev1.ResourcePods]
	fits := max(0, slots.Value()-int64(n.Pods))
	if gone {
		fits += t.own[n.Object.Name]
	}
	for k, ask := range t.asks {
		if ask.Sign() <= 0 {
			continue
		}
		free := n.Object.Status.Allocatable[k].DeepCopy()
		free.Sub(n.Requested[k])
		if gone && freed != nil {
			free.Add(freed[k])
		}
		fits = min(fits, over(free, ask))
	}
	if t.alone && !gone && t.own[n.Object.Name] > 0 {
		return 0
	}
	if t.alone {
		return min(fits, 1)
	}
	return fits
}

// lacks says what no node has enough of even when empty; empty where some node could hold a pod.
func (t tile) lacks(nodes iter.Seq[*Node]) string {
	most := corev1.ResourceList{}
	for n := range nodes {
		holds := true
		for k, ask := range t.asks {
			has := n.Object.Status.Allocatable[k]
			if m, seen := most[k]; !seen || has.Cmp(m) > 0 {
				most[k] = has
			}
			holds = holds && has.Cmp(ask) >= 0
		}
		if holds {
			return ""
		}
	}
	for _, k := range slices.Sorted(maps.Keys(t.asks)) {
		if ask, largest := t.asks[k], most[k]; largest.Cmp(ask) < 0 {
			return fmt.Sprintf("it wants %s %s, the largest that suits has %s", ask.String(), name(string(k)), largest.String())
		}
	}
	return t.String() + " are on no node together"
}

// over is how many times ask goes into free, never below zero.
func over(free, ask resource.Quantity) int64 {
	n := math.Floor(free.AsApproximateFloat64()/ask.AsApproximateFloat64() + 1e-9)
	return int64(min(max(n, 0), math.MaxInt32))
}

// String says what one pod asks for: "2 cpu, 1Gi".
func (t tile) String() string {
	cpu, memory := t.asks[corev1.ResourceCPU], t.asks[corev1.ResourceMemory]
	return fmt.Sprintf("%s cpu, %s memory", cpu.String(), memory.String())
}
