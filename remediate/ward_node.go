package remediate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: a node is unwell where it has not been ready for a while, or is under pressure, or has no network. One that is cordoned is
// not: somebody did that. Nor is one that is being taken away, by an autoscaler or by whoever deletes it. A node has no namespace, so its
// Case lives in Moorgate's own.
var nodeWard = ward{kind: corev1.SchemeGroupVersion.WithKind("Node"), shows: []causes.Symptom{causes.NodeUnwell},
	one: func() client.Object { return &corev1.Node{} }, list: func() client.ObjectList { return &corev1.NodeList{} },
	signs: nodeSigns, conditions: nodeConditions}

// leaving are the taints by which autoscalers mark a node that they take away.
var leaving = []string{"ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"}

func nodeSigns(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
	n, ok := o.(*corev1.Node)
	if !ok || n.DeletionTimestamp != nil || slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return slices.Contains(leaving, t.Key) }) {
		return nil
	}
	for _, c := range n.Status.Conditions {
		ill := c.Status == corev1.ConditionTrue
		switch c.Type {
		case corev1.NodeReady:
			ill = c.Status != corev1.ConditionTrue
		case corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeNetworkUnavailable:
		default:
			continue // what others add says what they like
		}
		if ill && now.Sub(c.LastTransitionTime.Time) >= patience {
			return []causes.Symptom{causes.NodeUnwell}
		}
	}
	return nil
}

func nodeConditions(o client.Object) (all []causes.Condition) {
	n, ok := o.(*corev1.Node)
	if !ok {
		return nil
	}
	for _, c := range n.Status.Conditions {
		all = append(all, stated(string(c.Type), string(c.Status), c.Reason, c.LastTransitionTime.Time, causes.ToldOfNode(c.Message)))
	}
	return all
}

// maxConditions is how many conditions of an object are looked at.
const maxConditions = 32

// stated makes a condition of what some controller wrote, whose message is kept as its class alone.
func stated(kind, status, reason string, since time.Time, told causes.Told) causes.Condition {
	return causes.Condition{Type: gate.OneLine(kind, maxField), Status: gate.OneLine(status, maxField), Reason: gate.OneLine(reason, maxField), Since: since, Told: told}
}
