package checks

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// FailedContainer is a container that keeps its pod from working.
type FailedContainer struct {
	Name     string
	Image    string // as the manifest writes it
	Why      string // CrashLoopBackOff, OOMKilled, ImagePullBackOff, as FailureOf says it
	Restarts int32
}

// FailedContainers are the containers for which the pod fails at the given time, as FailureOf sees it; all of them, init
// containers first.
func FailedContainers(pod *corev1.Pod, at time.Time) []FailedContainer {
	if pod.DeletionTimestamp != nil || !holds(pod) {
		return nil
	}
	var all []FailedContainer
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if why := containerFailure(&list[i], at); why != "" {
				all = append(all, FailedContainer{Name: list[i].Name, Image: imageRunning(pod, list[i].Name), Why: why, Restarts: list[i].RestartCount})
			}
		}
	}
	return all
}

func imageRunning(pod *corev1.Pod, container string) string {
	for _, c := range everyContainer(&pod.Spec) {
		if c.Name == container {
			return c.Image
		}
	}
	return ""
}
