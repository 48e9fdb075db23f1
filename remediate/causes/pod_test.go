package causes

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const settle = 2 * time.Minute

func ended(code int32, reason string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, FinishedAt: metav1.NewTime(noon)}}
}

func waiting(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func runs(since time.Duration) corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(noon.Add(-since))}}
}

func TestStates(t *testing.T) {
	for name, c := range map[string]struct {
		status corev1.ContainerStatus
		want   State
	}{
		"waits to be started again after an error": {corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(1, "Error"), RestartCount: 1}, Looping},
		"crash-loops and nobody says how it ended": {corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), RestartCount: 4}, Looping},
		"has just failed again":                    {corev1.ContainerStatus{State: ended(2, "Error"), RestartCount: 1}, Looping},
		"failed for the first time":                {corev1.ContainerStatus{State: ended(2, "Error")}, Unsure},
		"finishes over and over":                   {corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(0, "Completed"), RestartCount: 9}, Finished},
		"finished":                                 {corev1.ContainerStatus{State: ended(0, "Completed")}, Finished},
		"runs since a moment after a crash":        {corev1.ContainerStatus{State: runs(time.Second), Ready: true, LastTerminationState: ended(1, "Error")}, Unsure},
		"recovered":                                {corev1.ContainerStatus{State: runs(settle), Ready: true, LastTerminationState: ended(1, "Error")}, Well},
		"runs and was never restarted":             {corev1.ContainerStatus{State: runs(time.Second), Ready: true}, Well},
		"runs and is not ready":                    {corev1.ContainerStatus{State: runs(time.Hour)}, Unwell},
		"cannot pull its image":                    {corev1.ContainerStatus{State: waiting("ImagePullBackOff")}, Unwell},
		"cannot pull its image after a crash":      {corev1.ContainerStatus{State: waiting("ImagePullBackOff"), LastTerminationState: ended(1, "Error"), RestartCount: 3}, Unwell},
		"lacks a Secret":                           {corev1.ContainerStatus{State: waiting("CreateContainerConfigError")}, Unwell},
		"says nothing":                             {corev1.ContainerStatus{}, Unwell},
	} {
		t.Run(name, func(t *testing.T) {
			c.status.Name = "app"
			pod := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{c.status}}}
			if got := PodOf(pod, Sign{CrashLoop, "app"}, noon, settle); got.State != c.want {
				t.Errorf("the state is %q, want %q", got.State, c.want)
			}
			pod.Status = corev1.PodStatus{InitContainerStatuses: pod.Status.ContainerStatuses}
			if got := PodOf(pod, Sign{CrashLoop, "app"}, noon, settle); got.State != c.want {
				t.Errorf("the state as an init container is %q, want %q", got.State, c.want)
			}
			pod.Status.Phase = corev1.PodFailed
			if got := PodOf(pod, Sign{CrashLoop, "app"}, noon, settle); got.State != Finished || got.Healthy {
				t.Errorf("the state in a pod that ended is %q, healthy %t", got.State, got.Healthy)
			}
		})
	}
}

func TestHealthy(t *testing.T) {
	ready := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	well := corev1.ContainerStatus{Name: "app", Ready: true, State: runs(settle), LastTerminationState: ended(1, "Error")}
	young := corev1.ContainerStatus{Name: "app", Ready: true, State: runs(settle - time.Second)}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   bool
	}{
		"ready for a while":                    {corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{well}}, true},
		"ready since a moment":                 {corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{young}}, false},
		"one of two containers since a moment": {corev1.PodStatus{Conditions: ready, ContainerStatuses: []corev1.ContainerStatus{well, young}}, false},
		"not ready":                            {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{well}}, false},
		"without containers":                   {corev1.PodStatus{Conditions: ready}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := PodOf(&corev1.Pod{Status: c.status}, Sign{CrashLoop, "app"}, noon, settle).Healthy; got != c.want {
				t.Errorf("healthy is %t, want %t", got, c.want)
			}
		})
	}
}
