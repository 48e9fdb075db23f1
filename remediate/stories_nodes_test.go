package remediate_test

import (
	"context"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/test/cluster"
)

// TestStoriesOfPodsOnNodes are about whether other pods begin on a node, so they have nodes to themselves. The taint keeps others away.
func TestStoriesOfPodsOnNodes(t *testing.T) {
	const symptom = "NotStarting"
	taint := corev1.Taint{Key: "example.com/stories", Value: "nodes", Effect: corev1.TaintEffectNoSchedule}
	stories(t, map[string]scene{
		"one node begins nothing, and then it does": func(h *house) {
			nodes, err := cluster.Shared(h.t).AddNodes(h.t.Context(), cluster.NodeOptions{Count: 2, NamePrefix: "story", Taints: []corev1.Taint{taint}})
			if err != nil {
				h.t.Fatal(err)
			}
			h.t.Cleanup(func() {
				for _, n := range nodes {
					_ = h.admin.Delete(context.Background(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n}})
				}
			})
			on := func(node string) func(*appsv1.Deployment) {
				return spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
					s.NodeSelector = map[string]string{corev1.LabelHostname: node}
					s.Tolerations = []corev1.Toleration{{Key: taint.Key, Operator: corev1.TolerationOpExists}}
				})
			}
			mounting := spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
				s.Volumes = []corev1.Volume{{Name: "logs", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/log"}}}}
			})
			h.deployment("web", 1, byHand, on(nodes[0]))
			h.deployment("beside", 1, byHand, on(nodes[0]))
			h.deployment("mounts", 1, byHand, on(nodes[1]), mounting)
			h.pods("web", 1, bound)
			h.pods("beside", 1, bound)
			h.pods("mounts", 1, bound)
			h.later()
			h.deployment("fine", 1, "", on(nodes[1]))
			h.names("web", symptom, "node-starts-nothing", "on node "+nodes[0]+" no pod does")
			h.names("mounts", symptom, "volume-mount-fails", "1 volume is not mounted")
			h.deployment("late", 1, "", on(nodes[0]))
			h.names("web", symptom, "other", "")
		},
	})
}

// later waits until the clock of the API, which counts in seconds, has moved on.
func (h *house) later() {
	h.t.Helper()
	made := func(name string) metav1.Time {
		c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, GenerateName: name}}
		h.create(c)
		return c.CreationTimestamp
	}
	first := made("clock-")
	h.eventually("the next second", func() error {
		if now := made("clock-"); now.After(first.Time) {
			return nil
		}
		return errNotYet
	})
}
