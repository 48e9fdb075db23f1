package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

func nodesOf(r *Rollout) []Node { all, _ := r.World.Nodes.Get(); return all }

func TestFit(t *testing.T) {
	ask := func(cpu string) func(*Rollout) {
		return func(r *Rollout) { app(r).Resources.Requests = list("cpu", cpu) }
	}
	each := func(do func(*Node)) func(*Rollout) {
		return func(r *Rollout) {
			for i := range nodesOf(r) {
				do(&nodesOf(r)[i])
			}
		}
	}
	taint := each(func(n *Node) {
		n.Object.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
	})
	full := each(func(n *Node) { n.Requested = list("cpu", "3500m") })
	selector := func(value string) func(*Rollout) {
		return func(r *Rollout) { r.New.Template.Spec.NodeSelector = map[string]string{"disk": value} }
	}
	apart := func(r *Rollout) {
		r.New.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: corev1.LabelHostname,
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}}}
	}
	spare := func(r *Rollout) { r.New.MaxSurge, r.New.MaxUnavailable = 0, 1 }
	initAsking := func(cpu string, policy *corev1.ContainerRestartPolicy) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.InitContainers = []corev1.Container{{Name: "i", Image: "i:1", RestartPolicy: policy,
				Resources: corev1.ResourceRequirements{Requests: list("cpu", cpu)}}}
		}
	}
	fitCheck.tell(t, []tale{
		{name: "three small pods on three nodes"},
		{name: "a pod bigger than every node", change: ask("5"), points: 30, nature: gate.Recent, text: "no node could ever hold a pod: it wants 5 cpu, the largest that suits has 4"},
		{name: "a pod for which one node is large enough, and full", change: steps(ask("5"), full, func(r *Rollout) {
			nodesOf(r)[0].Object.Status.Allocatable = list("cpu", "8", "memory", "64Gi", "pods", "110")
		}, func(r *Rollout) { nodesOf(r)[0].Requested = list("cpu", "4") }), points: 15, nature: gate.Recent, text: "only 0 find room on 3 nodes, the rest only after a scale-up"},
		{name: "a pod that each node lacks something else for", points: 30, nature: gate.Recent, text: "are on no node together", change: steps(
			func(r *Rollout) { app(r).Resources.Requests = list("cpu", "5", "memory", "65Gi") }, func(r *Rollout) {
				nodesOf(r)[0].Object.Status.Allocatable = list("cpu", "8", "memory", "64Gi", "pods", "110")
				nodesOf(r)[1].Object.Status.Allocatable = list("cpu", "4", "memory", "80Gi", "pods", "110")
			})},
		{name: "a pod that wants what no node has", points: 30, nature: gate.Recent, text: "it wants 1 example.com/gpu, the largest that suits has 0",
			change: func(r *Rollout) { app(r).Resources.Requests = list("example.com/gpu", "1") }},
		{name: "one pod too many", change: steps(ask("3"), func(r *Rollout) { r.New.Replicas = 4 }), points: 15, nature: gate.Recent, text: "only 3 find room"},
		{name: "small pods share nodes", change: func(r *Rollout) { r.New.Replicas = 12 }},
		{name: "what other pods hold is not free", change: full, points: 15, nature: gate.Recent, text: "only 0"},
		{name: "pod slots run out", change: each(func(n *Node) { n.Pods = 110 }), points: 15, nature: gate.Recent},
		{name: "no node has the label", change: selector("ssd"), points: 30, nature: gate.Recent, text: "none of 3 nodes suits the pods: nodeSelector disk=ssd"},
		{name: "every node has the label", change: selector("hdd")},
		{name: "no taint is tolerated", change: taint, points: 30, nature: gate.Recent, text: "taints"},
		{name: "the taint is tolerated", change: steps(taint, func(r *Rollout) {
			r.New.Template.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
		})},
		{name: "a taint that only prefers is no obstacle", change: each(func(n *Node) {
			n.Object.Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectPreferNoSchedule}}
		})},
		{name: "cordoned nodes suit, and take nothing now", change: each(func(n *Node) { n.Object.Spec.Unschedulable = true }), points: 25, nature: gate.Recent, text: "cordoned"},
		{name: "nodes that are not ready take nothing", points: 25, nature: gate.Recent, change: each(func(n *Node) {
			n.Object.Status.Conditions[0].Status = corev1.ConditionUnknown
		})},
		{name: "an init container may ask for more than the rest", change: initAsking("5", nil), points: 30, nature: gate.Recent, text: "5 cpu"},
		{name: "an init container that ends gives its room back", change: initAsking("3500m", nil)},
		{name: "a sidecar does not", change: initAsking("3500m", ptr(corev1.ContainerRestartPolicyAlways)), points: 30, nature: gate.Recent, text: "4500m cpu"},
		{name: "overhead counts", change: func(r *Rollout) { r.New.Template.Spec.Overhead = list("cpu", "4") }, points: 30, nature: gate.Recent, text: "5 cpu"},
		{name: "a surge needs room beside the old pods", change: steps(ask("3"), update), points: 15, nature: gate.Recent, text: "1 pod of surge"},
		{name: "where old pods go first it does not", change: steps(ask("3"), spare, update)},
		{name: "pods that keep apart need a node each", change: steps(apart, func(r *Rollout) { r.New.Replicas = 4 }), points: 15, nature: gate.Recent, text: "only 3"},
		{name: "a surge of pods that keep apart has no node left", change: steps(apart, update), points: 15, nature: gate.Recent, text: "only 0 find room beside"},
		{name: "a DaemonSet needs room on every node", change: steps(kind("DaemonSet"), full), points: 25, nature: gate.Recent, text: "on 3 of 3 nodes"},
		{name: "a DaemonSet replaces its own pods in place", change: steps(kind("DaemonSet"), ask("3"), spare, update)},
		{name: "a DaemonSet may wait for its kind of node", change: steps(kind("DaemonSet"), selector("ssd"))},
		{name: "critical pods evict others", change: steps(full, func(r *Rollout) { r.New.Template.Spec.PriorityClassName = "system-cluster-critical" })},
		{name: "no replicas need no node", change: steps(taint, func(r *Rollout) { r.New.Replicas = 0 })},
		{name: "unknown nodes", change: func(r *Rollout) { r.World.Nodes = gate.Unknown[[]Node]("forbidden") }, unknown: "Nodes: forbidden"},
		{name: "a cluster that shows no nodes says nothing", change: func(r *Rollout) { r.World.Nodes = gate.Known([]Node{}) }, unknown: "shows none"},
		{name: "unknown own pods may hold the room", change: steps(update, func(r *Rollout) { r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden") }), unknown: "Pods: forbidden"},
	})
}
