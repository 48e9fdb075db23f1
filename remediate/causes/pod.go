package causes

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// State is how one container of one pod fares.
type State string

// The states. Only Looping and Stuck open a Case; only Well closes one.
const (
	Looping  State = "crash-looping" // it failed, was restarted, and failed again
	Stuck    State = "stuck"         // it shows the symptom in question, which is not a crash loop
	Unsure   State = "unsure"        // it failed lately and runs now, or failed for the first time: time will tell
	Finished State = "finished"      // it ended with exit code 0: it did what it was asked, however often it is restarted
	Unwell   State = "not ready"     // it fares badly in another way than the one in question
	Well     State = "well"          // it is ready and has been for long enough
)

// Pod is one pod with how the container in question fares in it.
type Pod struct {
	Ref        gate.Ref
	Controller string // the kind of what would make another in its place; empty if nothing would
	State      State
	Healthy    bool // the pod is ready, and every container of it has run for a while
	Exit       gate.Fact[Exit]
	Restarts   int32
	Limited    bool   // the container has a memory limit
	Limit      string // that limit, as people write it
	Image      string // of the container, as the manifest writes it
	Waiting    string // the kubelet's word for why the container waits: ImagePullBackOff
	Told       Told   // what class of thing is said of why it does not come up
	Node       string // where it runs; empty for nowhere yet
	Meant      Meant
	Since      time.Time        // when it began to run, where it runs now
	Readied    time.Duration    // how long it took to become ready, where it is ready and ran without a restart; else 0
	Uses       gate.Fact[int64] // bytes of memory, where somebody measured that
	LimitBytes int64            // its memory limit; 0 for none
}

// Exit is how a container ended last. The message that it may have left is not kept: a program wrote it.
type Exit struct {
	Code    int32
	Reason  string // the runtime's word: Error, OOMKilled, StartError
	Started time.Time
	At      time.Time
}

// ran is how long the container ran, if its status says so. Of one that could not be started a runtime says that it began in 1970.
func (e Exit) ran() (time.Duration, bool) {
	if e.Started.Unix() <= 0 || e.At.Before(e.Started) {
		return 0, false
	}
	return e.At.Sub(e.Started), true
}

// PodOf reads how a pod, or a container of it, fares with regard to a symptom. A container that crashed and runs again counts
// as well once it has run for settle and is ready; before that nobody knows.
func PodOf(pod *corev1.Pod, sign Sign, now time.Time, settle time.Duration) Pod {
	container := sign.Container
	p := Pod{Ref: gate.Ref{Version: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID)}, State: Unwell, Node: pod.Spec.NodeName,
		Meant: meantOf(pod, container)}
	if owner := metav1.GetControllerOf(pod); owner != nil {
		p.Controller = owner.Kind
	}
	for _, specs := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range specs {
			if specs[i].Name == container {
				p.Image = specs[i].Image
			}
			if limit, limited := specs[i].Resources.Limits[corev1.ResourceMemory]; limited && specs[i].Name == container {
				p.Limited, p.Limit, p.LimitBytes = true, limit.String(), limit.Value()
			}
		}
	}
	p.Exit = gate.Unknown[Exit]("the pod's status does not say how the container ended")
	if Ended(pod) {
		p.State = Finished
		return p
	}
	p.Healthy = healthy(pod, now, settle)
	s := statusOf(pod, container)
	if s != nil {
		p.read(s, now, settle)
		p.Told, p.Readied = said(s), readied(pod, s)
	}
	if sign.Symptom != CrashLoop {
		p.State = stateOf(pod, sign, p.Healthy, now, settle)
	}
	return p
}

// stateOf is how a pod fares with regard to a symptom that is not a crash loop. One that is young may come to show it.
func stateOf(pod *corev1.Pod, sign Sign, healthy bool, now time.Time, settle time.Duration) State {
	signs := Signs(pod, now, settle)
	switch {
	case slices.Contains(signs, sign):
		return Stuck
	case healthy:
		return Well
	case len(signs) == 0:
		return Unsure
	}
	return Unwell
}

// Ended is whether a pod has ended for good: nothing in it is restarted.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func healthy(pod *corev1.Pod, now time.Time, settle time.Duration) bool {
	ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		if s.State.Running == nil || !s.Ready || now.Sub(s.State.Running.StartedAt.Time) < settle {
			return false
		}
	}
	return ready && len(pod.Status.ContainerStatuses) > 0
}

func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			if statuses[i].Name == container {
				return &statuses[i]
			}
		}
	}
	return nil
}

func (p *Pod) read(s *corev1.ContainerStatus, now time.Time, settle time.Duration) {
	p.Restarts = s.RestartCount
	if w := s.State.Waiting; w != nil {
		p.Waiting = gate.OneLine(w.Reason, maxReason)
	}
	if s.State.Running != nil {
		p.Since = s.State.Running.StartedAt.Time
	}
	ended := endOf(s)
	if ended != nil {
		p.Exit = gate.Known(Exit{Code: ended.ExitCode, Reason: gate.OneLine(ended.Reason, maxReason), Started: ended.StartedAt.Time, At: ended.FinishedAt.Time})
	}
	switch {
	case s.State.Waiting != nil && !backsOff(s.State.Waiting, ended):
		p.State = Unwell
	case s.State.Running != nil:
		p.State = running(s, now, settle)
	case ended != nil && ended.ExitCode == 0:
		p.State = Finished
	case s.State.Waiting == nil && s.State.Terminated == nil: // nobody says
	case p.Waiting == "CrashLoopBackOff" || s.RestartCount > 0:
		p.State = Looping
	default:
		p.State = Unsure
	}
}

// endOf is how a container ended last; nil if it did not.
func endOf(s *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

// backsOff is whether a container waits to be started again. One that the runtime could not start is said to crash-loop and not to
// start in turn, and is the same happening.
func backsOff(w *corev1.ContainerStateWaiting, ended *corev1.ContainerStateTerminated) bool {
	return w.Reason == "CrashLoopBackOff" || w.Reason == "RunContainerError" && ended != nil && notStarted(ended.Reason)
}

// notStarted is whether a runtime's word for how a container ended says that nothing of it ever ran.
func notStarted(reason string) bool { return reason == "StartError" || reason == "ContainerCannotRun" }

// readied is how long a container took to become ready that was never restarted.
func readied(pod *corev1.Pod, s *corev1.ContainerStatus) time.Duration {
	ready := conditionOf(pod, corev1.PodReady)
	if s.State.Running == nil || s.RestartCount > 0 || ready == nil || ready.Status != corev1.ConditionTrue {
		return 0
	}
	return max(0, ready.LastTransitionTime.Sub(s.State.Running.StartedAt.Time))
}

func running(s *corev1.ContainerStatus, now time.Time, settle time.Duration) State {
	crashed := s.LastTerminationState.Terminated != nil && s.LastTerminationState.Terminated.ExitCode != 0
	switch {
	case crashed && now.Sub(s.State.Running.StartedAt.Time) < settle:
		return Unsure
	case s.Ready:
		return Well
	}
	return Unwell
}
