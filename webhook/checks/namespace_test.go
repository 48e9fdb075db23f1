package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func TestNamespace(t *testing.T) {
	failures := func(pods, failing int) func(*Rollout) {
		return func(r *Rollout) {
			r.World.Failures = gate.Known(Failures{Pods: pods, Failing: failing, Reasons: map[string]int{"OOMKilled": failing, "Error": 1}})
		}
	}
	namespaceCheck.tell(t, []tale{
		{name: "nothing fails"},
		{name: "one failing pod is no pattern", change: failures(2, 1)},
		{name: "a few of many are none", change: failures(40, 4)},
		{name: "a quarter is one", change: failures(8, 2), points: 10, nature: gate.Recent, text: "2 of 8 other pods in the namespace fail, mostly OOMKilled"},
		{name: "unknown pods", unknown: "Pods of the namespace: forbidden", change: func(r *Rollout) {
			r.World.Failures = gate.Unknown[Failures]("forbidden")
		}},
	})
}

func TestCountFailures(t *testing.T) {
	ended, fine := &corev1.Pod{}, &corev1.Pod{}
	ended.Status.Phase = corev1.PodFailed
	sick := &corev1.Pod{}
	sick.Status.InitContainerStatuses = []corev1.ContainerStatus{waiting("ImagePullBackOff")}
	got := CountFailures([]*corev1.Pod{ended, fine, sick}, noon)
	if got.Pods != 2 || got.Failing != 1 || got.Reasons["ImagePullBackOff"] != 1 {
		t.Errorf("counted %+v, want one ImagePullBackOff of two pods that have not ended", got)
	}
}
