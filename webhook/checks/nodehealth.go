package checks

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a rollout should not begin while much of what it may run on is unwell. More than a quarter of the nodes that suit
// the pods are not ready, short of memory, disk or process ids, or cordoned: an upgrade or an outage is under way, and what
// moves pods now moves them onto what is left.
//
// It is about the moment, so it counts against no rollback and no cure. Where no node takes pods at all, node-fit says so.
// Cordons do not matter to a DaemonSet. A cluster that shows no nodes says nothing about their health.
var healthCheck = Check{
	ID: "node-health", Title: "The nodes are well", Points: pointsNodesUnwell, Nature: gate.Recent,
	Law:  "No more than a quarter of the nodes that suit the pods are not ready, under pressure or cordoned.",
	look: lookHealth,
}

func lookHealth(r Rollout) Result {
	daemon := r.New.Ref.Kind == "DaemonSet"
	if r.New.Paused || r.New.Replicas == 0 && !daemon {
		return Result{}
	}
	nodes, known := r.World.Nodes.Get()
	if !known {
		return Result{Unknown: []string{unread("Nodes", r.World.Nodes)}}
	}
	find := newFinder(&corev1.Pod{Spec: r.New.Template.Spec}, daemon)
	suiting, open, unwell := 0, 0, 0
	counts := make([]int, len(ailments))
	for i := range nodes {
		v := find.of(&nodes[i])
		if !v.match {
			continue
		}
		suiting++
		if v.open {
			open++
		}
		if v.ailment >= 0 {
			unwell++
			counts[v.ailment]++
		}
	}
	if 4*unwell <= suiting || open == 0 && !daemon {
		return Result{}
	}
	var said []string
	for i, n := range counts {
		if n > 0 {
			said = append(said, fmt.Sprintf("%d %s", n, ailments[i].words))
		}
	}
	return Result{Findings: []gate.Finding{found(pointsNodesUnwell, gate.Recent, []string{EvidenceWorkload, EvidenceNodes},
		"%d of %s that would suit the pods are unwell: %s", unwell, plural(suiting, "node"), strings.Join(said, ", "))}}
}

// ailments are what a node can suffer from, the gravest first.
var ailments = []struct {
	condition corev1.NodeConditionType
	words     string
}{
	{corev1.NodeReady, "not ready"}, {corev1.NodeMemoryPressure, "short of memory"}, {corev1.NodeDiskPressure, "short of disk"},
	{corev1.NodePIDPressure, "short of process ids"}, {"", "cordoned"},
}

// ailment is the index of the gravest that the node has, below zero if it is well.
func ailment(n *corev1.Node, daemon bool) int {
	for i, a := range ailments {
		switch {
		case a.condition == corev1.NodeReady && !fit.Ready(n), a.condition == "" && n.Spec.Unschedulable && !daemon:
			return i
		case a.condition == corev1.NodeReady:
			continue
		}
		for _, c := range n.Status.Conditions {
			if c.Type == a.condition && c.Status == corev1.ConditionTrue {
				return i
			}
		}
	}
	return -1
}
