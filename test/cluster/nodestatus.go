package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// conditionsLabel on a node says that its conditions are somebody's, and KWOK's no more. Its lease is still renewed.
const conditionsLabel = "sim.moorgate.dev/conditions"

// SetNodeCondition gives a node a condition and keeps it: Ready False, DiskPressure True. The real controllers taint the node for it.
// A node of the cluster that everybody shares is everybody's: add one (AddNodes), or heal it (HealNode).
func (c *Cluster) SetNodeCondition(ctx context.Context, node string, to corev1.NodeCondition) error {
	nodes := c.client.CoreV1().Nodes()
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:"byhand"}}}`, conditionsLabel)
	if _, err := nodes.Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("take node %s into our hands: %w", node, err)
	}
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		n, err := nodes.Get(ctx, node, metav1.GetOptions{})
		if err != nil {
			return err
		}
		replaceCondition(n, to)
		_, err = nodes.UpdateStatus(ctx, n, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("set condition %s of node %s: %w", to.Type, node, err)
	}
	return nil
}

// HealNode takes back what SetNodeCondition did, and waits until the node is Ready.
func (c *Cluster) HealNode(ctx context.Context, node string) error {
	n, err := c.client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read node %s: %w", node, err)
	}
	for _, ill := range n.Status.Conditions {
		if ill.Type == corev1.NodeReady || ill.Status == corev1.ConditionFalse {
			continue // KWOK says again that it is Ready
		}
		if err := c.SetNodeCondition(ctx, node, corev1.NodeCondition{Type: ill.Type, Status: corev1.ConditionFalse, Reason: "Healed"}); err != nil {
			return err
		}
	}
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, conditionsLabel)
	if _, err := c.client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("hand node %s back: %w", node, err)
	}
	if err := poll(ctx, c.nodesReady([]string{node})); err != nil {
		return fmt.Errorf("wait for node %s: %w", node, err)
	}
	return nil
}

func replaceCondition(n *corev1.Node, to corev1.NodeCondition) {
	to.LastHeartbeatTime, to.LastTransitionTime = metav1.Now(), metav1.Now()
	for i := range n.Status.Conditions {
		if old := &n.Status.Conditions[i]; old.Type == to.Type {
			if old.Status == to.Status {
				to.LastTransitionTime = old.LastTransitionTime
			}
			*old = to
			return
		}
	}
	n.Status.Conditions = append(n.Status.Conditions, to)
}
