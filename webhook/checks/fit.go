package checks

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The law: the new pods should find nodes. Failures are told apart. No node suits them at all, by labels, affinity or taints.
// Or nodes suit, and even empty none could hold a pod. Or an empty one could, and there is no room now: one more node of a
// class that exists would do, which costs least. All are about the cluster as it is: a pool that an autoscaler has scaled to
// zero shows no node until a pod asks for one. So none counts against a rollback or a cure, and none refuses by itself.
//
// What an empty node has is what it can allocate; what DaemonSets would take of that is not known of a node yet to come. A
// DaemonSet's own pod needs its room on the very node, so more nodes are no help to it.
//
// All pods of a rollout are alike, so filling nodes first-fit comes to the same as adding up how many each node has room
// for: free resources over effective requests (init containers, sidecars, overhead), pod slots, and one a node where pods
// cannot share one. The pods of the surge and of the growth need room beside the old ones; where old pods may go first,
// their room counts as free. A DaemonSet needs room on every node that suits it.
//
// Of a Job it is enough that one pod finds room: the others take its place, so that takes few points. So does what a CronJob
// would find if it ran now.
//
// Zones of volumes, affinity to other workloads and topology spread are not looked at; nor is room for critical priority
// classes, which evict others to get it. A cluster that shows no nodes says nothing about fit.
var fitCheck = Check{
	ID: "node-fit", Title: "The pods find nodes", Points: pointsNoNodeMatches, Nature: gate.Recent,
	Law:  "Some node suits the pods by labels, affinity and taints, is large enough for a pod when empty, and the nodes that suit have room now for the new pods, the surge included.",
	look: lookFit,
}

func lookFit(r Rollout) Result {
	daemon := r.New.Ref.Kind == "DaemonSet"
	if r.New.Paused || r.New.Replicas == 0 && !daemon {
		return Result{}
	}
	nodes, known := r.World.Nodes.Get()
	if !known {
		return Result{Unknown: []string{unread("Nodes", r.World.Nodes)}}
	}
	if len(nodes) == 0 {
		return Result{Unknown: []string{"Nodes: the cluster shows none"}}
	}
	var out Result
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("LimitRanges", r.World.LimitRanges))
	}
	pod := shape(&r.New.Template, ranges)
	find := newFinder(pod, daemon)
	suiting, open := many(find.suiting(nodes)), many(find.open(nodes))
	cites := []string{EvidenceWorkload, EvidenceNodes}
	switch {
	case suiting == 0 && daemon:
		return out // a DaemonSet may well wait for its kind of node
	case suiting == 0:
		out.Findings = []gate.Finding{found(pointsNoNodeMatches, gate.Recent, cites, "none of %s suits the pods: %s",
			plural(len(nodes), "node"), demands(&pod.Spec))}
	case open == 0 && !daemon:
		points, when := roomPoints(r, pointsNoRoom)
		out.Findings = []gate.Finding{found(points, gate.Recent, cites,
			"%s%s would suit the pods, and every one is cordoned or not ready", when, plural(suiting, "node"))}
	case strings.HasPrefix(pod.Spec.PriorityClassName, "system-"):
	default:
		room, unknown := lookRoom(r, pod, find.suiting(nodes), find.open(nodes), open)
		out.Findings, out.Unknown = append(out.Findings, room...), append(out.Unknown, unknown...)
	}
	return out
}

// demands says in a few words by what a pod chooses nodes.
func demands(spec *corev1.PodSpec) string {
	for k, v := range spec.NodeSelector {
		if len(spec.NodeSelector) == 1 {
			return "nodeSelector " + name(k+"="+v)
		}
		return fmt.Sprintf("nodeSelector of %d labels", len(spec.NodeSelector))
	}
	if spec.Affinity != nil && spec.Affinity.NodeAffinity != nil && spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		return "required node affinity"
	}
	if spec.NodeName != "" {
		return "nodeName " + name(spec.NodeName)
	}
	return "taints that they do not tolerate"
}
