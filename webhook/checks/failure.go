package checks

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// recently is how long after its last crash a container still counts as crashing. The kubelet waits five minutes at most
// between restarts, so that a container in a loop crashes at least twice in this time.
const recently = 10 * time.Minute

var waitingFailures = map[string]bool{
	"CrashLoopBackOff": true, "ImagePullBackOff": true, "ErrImagePull": true, "InvalidImageName": true, "ErrImageNeverPull": true,
	"CreateContainerConfigError": true, "CreateContainerError": true, "RunContainerError": true, "ImageInspectError": true,
}

// FailureOf says why the pod fails at the given time: CrashLoopBackOff, OOMKilled, ImagePullBackOff, a config error. It is
// empty for a pod that does not, or that has ended, or is on its way out.
func FailureOf(pod *corev1.Pod, at time.Time) string {
	if pod.DeletionTimestamp != nil || !holds(pod) {
		return ""
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if why := containerFailure(&list[i], at); why != "" {
				return why
			}
		}
	}
	return ""
}

// unwell says why one of the workload's own pods does not do its work: beyond FailureOf, that no node takes it, or that it
// has not been ready for long.
func unwell(pod *corev1.Pod, at time.Time) string {
	if pod.DeletionTimestamp != nil || !holds(pod) {
		return ""
	}
	if why := FailureOf(pod, at); why != "" {
		return why
	}
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionFalse:
		case c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable:
			return c.Reason
		case c.Type == corev1.PodReady && at.Sub(c.LastTransitionTime.Time) > recently:
			return "NotReady"
		}
	}
	return ""
}

func containerFailure(s *corev1.ContainerStatus, at time.Time) string {
	if w := s.State.Waiting; w != nil && waitingFailures[w.Reason] {
		return reasonOf(w.Reason, s)
	}
	if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
		return terminated(t)
	}
	// Between two crashes of a loop the container runs for a while: it still fails unless it became ready.
	if t := s.LastTerminationState.Terminated; t != nil && t.ExitCode != 0 && !s.Ready && s.State.Running != nil &&
		s.RestartCount > 1 && at.Sub(t.FinishedAt.Time) < recently {
		return terminated(t)
	}
	return ""
}

// reasonOf prefers the cause of a crash loop to the loop.
func reasonOf(waiting string, s *corev1.ContainerStatus) string {
	if t := s.LastTerminationState.Terminated; waiting == "CrashLoopBackOff" && t != nil && t.Reason == "OOMKilled" {
		return t.Reason
	}
	return waiting
}

func terminated(t *corev1.ContainerStateTerminated) string {
	if t.Reason == "" {
		return "Error"
	}
	return t.Reason
}

// CountFailures counts the pattern of failure among pods at the given time. Pods that have ended are not counted at all.
func CountFailures(pods []*corev1.Pod, at time.Time) Failures {
	return count(pods, at, FailureOf)
}

func count(pods []*corev1.Pod, at time.Time, failure func(*corev1.Pod, time.Time) string) Failures {
	f := Failures{Reasons: map[string]int{}}
	for _, p := range pods {
		if !holds(p) || p.DeletionTimestamp != nil {
			continue
		}
		f.Pods++
		if why := failure(p, at); why != "" {
			f.Failing++
			f.Reasons[why]++
		}
	}
	return f
}
