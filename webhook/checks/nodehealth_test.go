package checks

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func TestNodeHealth(t *testing.T) {
	// sick makes a cluster of eight nodes, of which the first few are as they are made.
	sick := func(n int, ill func(*corev1.Node)) func(*Rollout) {
		return func(r *Rollout) {
			var all []Node
			for i := range 8 {
				x := node(fmt.Sprintf("n%d", i), "4")
				if i < n {
					ill(x.Object)
				}
				all = append(all, x)
			}
			r.World.Nodes = gate.Known(all)
		}
	}
	cordon := func(n *corev1.Node) { n.Spec.Unschedulable = true }
	away := func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown }
	pressed := func(kind corev1.NodeConditionType, status corev1.ConditionStatus) func(*corev1.Node) {
		return func(n *corev1.Node) {
			n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: kind, Status: status})
		}
	}
	elsewhere := func(r *Rollout) {
		r.New.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		for i := range nodesOf(r)[:4] {
			nodesOf(r)[i+4].Object.Labels["disk"] = "ssd"
		}
	}
	healthCheck.tell(t, []tale{
		{name: "all are well"},
		{name: "a quarter is cordoned", change: sick(2, cordon)},
		{name: "more than a quarter is cordoned", change: sick(3, cordon), points: 10, nature: gate.Recent, text: "3 of 8 nodes that would suit the pods are unwell: 3 cordoned"},
		{name: "more than a quarter is not ready", change: sick(3, away), points: 10, nature: gate.Recent, text: "3 not ready"},
		{name: "memory", change: sick(3, pressed(corev1.NodeMemoryPressure, corev1.ConditionTrue)), points: 10, nature: gate.Recent, text: "3 short of memory"},
		{name: "enough memory", change: sick(3, pressed(corev1.NodeMemoryPressure, corev1.ConditionFalse))},
		{name: "disk", change: sick(3, pressed(corev1.NodeDiskPressure, corev1.ConditionTrue)), points: 10, nature: gate.Recent, text: "3 short of disk"},
		{name: "process ids", change: sick(3, pressed(corev1.NodePIDPressure, corev1.ConditionTrue)), points: 10, nature: gate.Recent, text: "3 short of process ids"},
		{name: "a node with two ailments is one node", change: sick(2, func(n *corev1.Node) { cordon(n); away(n) })},
		{name: "nodes that do not suit may be as they are", change: steps(sick(4, cordon), elsewhere)},
		{name: "where none is left, node-fit says so", change: sick(8, cordon)},
		{name: "a DaemonSet does not mind cordons", change: steps(kind("DaemonSet"), sick(3, cordon))},
		{name: "but minds nodes that are away", change: steps(kind("DaemonSet"), sick(8, away)), points: 10, nature: gate.Recent, text: "8 of 8"},
		{name: "no replicas need no node", change: steps(sick(3, cordon), func(r *Rollout) { r.New.Replicas = 0 })},
		{name: "unknown nodes", change: func(r *Rollout) { r.World.Nodes = gate.Unknown[[]Node]("forbidden") }, unknown: "Nodes: forbidden"},
	})
}
