package checks

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"moorgate.dev/internal/gate"
)

// Placement is the ID of the finding about rules that keep pods off nodes which have room for them.
const Placement = "placement"

// placedMax is how many pods are placed one by one; rulesMax how many rules each of them may come with.
const (
	placedMax = 50
	rulesMax  = 20
)

// Surroundings are what decides about single places: what is costly to know, and so is not looked at while a request waits.
type Surroundings struct {
	// Pods are the pods of other workloads in the namespace that have a node. Read only: they may belong to a cache.
	Pods gate.Fact[[]*corev1.Pod]
	// Volumes says of each claim by name where its volume can be reached; nil where that is anywhere, or not decided yet.
	Volumes map[string]gate.Fact[*corev1.NodeSelector]
}

// The law of placement: rules about neighbours should leave the pods the places that there is room for. Hard topology
// spread, required affinity and anti-affinity to pods of the namespace, and the zones of bound volumes are played through:
// the workload's pods, 50 at most, are placed one by one where they spread best, its own old pods gone. If fewer find a
// place than without these rules, the rules are what keeps them off. Where there is no room either way, node-fit says so.
//
// Taking always the best spread is exact for one rule and near enough for several; so it is about the moment, and refuses
// nothing by itself. Affinity to pods of other namespaces is not played through, nor what others' anti-affinity forbids
// beyond the namespace. A DaemonSet has no choice of nodes.
func lookPlacement(r Rollout) Result {
	if r.World.Around == nil || r.New.Ref.Kind == "DaemonSet" || r.New.Paused || r.New.Replicas == 0 {
		return Result{}
	}
	nodes, known := r.World.Nodes.Get()
	ranges, rangesKnown := r.World.LimitRanges.Get()
	own, ownKnown := r.World.Pods.Get()
	if !known || !rangesKnown || !ownKnown || len(nodes) == 0 {
		return Result{Unknown: []string{"Placement: nodes, own pods or LimitRanges are not known"}}
	}
	pod := shape(&r.New.Template, ranges)
	if n := countRules(&pod.Spec); n > rulesMax {
		return Result{Unknown: []string{fmt.Sprintf("Placement: %d rules, more than %d", n, rulesMax)}}
	}
	rules, unknown := rulesOf(r, pod)
	if len(unknown) > 0 {
		return Result{Unknown: unknown}
	}
	want := min(int(r.New.Replicas), placedMax)
	volumes, unknown := volumeRules(r, want)
	if len(unknown) > 0 {
		return Result{Unknown: unknown}
	}
	open := slices.Collect(newFinder(pod, false).open(nodes))
	one := newTile(pod, own)
	free, _ := place(want, one, open, nil, nil)
	placed, off := place(want, one, open, rules, volumes)
	if placed >= free {
		return Result{}
	}
	return Result{Findings: []gate.Finding{found(pointsPlacement, gate.Recent, []string{EvidenceWorkload, EvidenceNodes, EvidenceAround},
		"only %d of %s find a place, %d have room: kept off by %s", placed, plural(want, "pod"), free, strings.Join(off, ", "))}}
}

// countRules counts the rules about neighbours.
func countRules(spec *corev1.PodSpec) int {
	n := len(spec.TopologySpreadConstraints)
	if spec.Affinity != nil && spec.Affinity.PodAffinity != nil {
		n += len(spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	if spec.Affinity != nil && spec.Affinity.PodAntiAffinity != nil {
		n += len(spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	return n
}

// place places pods one by one, and says how many found a node and what kept off the first that did not.
func place(want int, one tile, nodes []*Node, rules []*rule, volumes []func(*corev1.Node) bool) (placed int, off []string) {
	room := make([]int64, len(nodes))
	for i, n := range nodes {
		room[i] = one.room(n, true)
	}
	for p := range want {
		best, bestLoad := -1, 0
		off = off[:0]
		for i, n := range nodes {
			if room[i] <= 0 {
				continue
			}
			why, load := "", 0
			if p < len(volumes) && volumes[p] != nil && !volumes[p](n.Object) {
				why = "the zone of a volume"
			}
			for _, x := range rules {
				if why == "" && !x.allows(n.Object) {
					why = x.words
				}
				load += x.load(n.Object)
			}
			if why != "" {
				if !slices.Contains(off, why) && len(off) < namesMax {
					off = append(off, why)
				}
				continue
			}
			if best < 0 || load < bestLoad || load == bestLoad && room[i] > room[best] {
				best, bestLoad = i, load
			}
		}
		if best < 0 {
			if len(volumes) == 0 {
				return placed, off // the next is no different
			}
			continue
		}
		placed++
		room[best]--
		for _, x := range rules {
			x.take(nodes[best].Object)
		}
		if placed == want {
			return placed, nil
		}
	}
	if len(off) == 0 {
		off = []string{"the zone of a volume"} // a pod before the last one
	}
	return placed, off
}

// volumeRules returns for each of the pods, in the order of their ordinals, where its volumes let it go.
func volumeRules(r Rollout, pods int) (each []func(*corev1.Node) bool, unknown []string) {
	bounded := false
	each = make([]func(*corev1.Node) bool, pods)
	for i := range each {
		var all []*nodeaffinity.NodeSelector
		for _, claim := range ClaimsOf(r.New, i) {
			fact, asked := r.World.Around.Volumes[claim]
			selector, known := fact.Get()
			if !asked || !known {
				unknown = append(unknown, unread("the volume of "+name(claim), fact))
				continue
			}
			if selector == nil {
				continue
			}
			if s, err := nodeaffinity.NewNodeSelector(selector); err == nil {
				all = append(all, s)
			}
		}
		if len(all) > 0 {
			bounded = true
			each[i] = func(n *corev1.Node) bool {
				return !slices.ContainsFunc(all, func(s *nodeaffinity.NodeSelector) bool { return !s.Match(n) })
			}
		}
	}
	if !bounded {
		each = nil
	}
	return each, unknown
}

// ClaimsOf names the claims that the pod of that ordinal uses.
func ClaimsOf(w Workload, ordinal int) []string {
	var all []string
	for _, v := range w.Template.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			all = append(all, v.PersistentVolumeClaim.ClaimName)
		}
	}
	for _, c := range w.VolumeClaims {
		all = append(all, fmt.Sprintf("%s-%s-%d", c.Name, w.Ref.Name, ordinal))
	}
	return all
}
