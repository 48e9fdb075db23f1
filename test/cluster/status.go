package cluster

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// SetStatus puts the containers of a pod that has a node into a state and keeps them there: from then on nobody plays the pod but to
// delete it. What follows from that for the pod's phase and conditions is filled in as a kubelet would, unless a change says Failed or
// Succeeded. Changes are made in order, each on what the last one left; those of later calls add to them.
func (c *Cluster) SetStatus(ctx context.Context, namespace, pod string, changes ...func(*corev1.PodStatus)) error {
	pods := c.client.CoreV1().Pods(namespace)
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, FaultLabel, ByHand)
	if _, err := pods.Patch(ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("take pod %s/%s into our hands: %w", namespace, pod, err)
	}
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		p, err := pods.Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		begin(p)
		for _, change := range changes {
			change(&p.Status)
		}
		follow(&p.Status)
		_, err = pods.UpdateStatus(ctx, p, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("set the status of pod %s/%s: %w", namespace, pod, err)
	}
	return nil
}

// Waiting makes a container, or an init container, wait: "ContainerCreating", "ImagePullBackOff", "CrashLoopBackOff".
func Waiting(container, reason, message string) func(*corev1.PodStatus) {
	return inState(container, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}, false)
}

// Running makes a container run. One that is not ready fails its readiness probe; an init container never is.
func Running(container string, ready bool) func(*corev1.PodStatus) {
	return inState(container, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}, ready)
}

// Exited makes a container end with a code: "Error", "OOMKilled", "Completed".
func Exited(container, reason string, code int32) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		inState(container, corev1.ContainerState{Terminated: exit(named(s, container), reason, code)}, false)(s)
	}
}

// Restarted gives a container a number of restarts and a last run that ended with a code. What it does now is left as it is.
func Restarted(container string, restarts int32, reason string, code int32) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		if of := named(s, container); of != nil {
			of.RestartCount, of.LastTerminationState = restarts, corev1.ContainerState{Terminated: exit(of, reason, code)}
		}
	}
}

func exit(of *corev1.ContainerStatus, reason string, code int32) *corev1.ContainerStateTerminated {
	t := &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: metav1.Now(), FinishedAt: metav1.Now()}
	if of != nil {
		t.ContainerID = of.ContainerID
	}
	return t
}

func inState(container string, state corev1.ContainerState, ready bool) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		if of := named(s, container); of != nil {
			of.State, of.Ready, of.Started = state, ready, new(state.Running != nil)
		}
	}
}

func named(s *corev1.PodStatus, container string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

// begin gives every container that has none a status: it is being created.
func begin(p *corev1.Pod) {
	s := &p.Status
	if s.StartTime == nil {
		s.StartTime = new(metav1.Now())
	}
	for _, x := range []struct {
		spec   []corev1.Container
		status *[]corev1.ContainerStatus
	}{{p.Spec.InitContainers, &s.InitContainerStatuses}, {p.Spec.Containers, &s.ContainerStatuses}} {
		for _, c := range x.spec {
			if named(s, c.Name) == nil {
				*x.status = append(*x.status, corev1.ContainerStatus{Name: c.Name, Image: c.Image, Started: new(false), ContainerID: "containerd://" + string(p.UID),
					State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}})
			}
		}
	}
}

// follow makes of the rest of a status what follows from the states of the containers.
func follow(s *corev1.PodStatus) {
	var starting, unready []string
	for i := range s.InitContainerStatuses {
		of := &s.InitContainerStatuses[i]
		of.Ready = of.State.Terminated != nil && of.State.Terminated.ExitCode == 0
		if !of.Ready {
			starting = append(starting, of.Name)
		}
	}
	began := false
	for i := range s.ContainerStatuses {
		of := &s.ContainerStatuses[i]
		if len(starting) > 0 {
			of.State, of.Ready, of.Started = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}, false, new(false)
		}
		if !of.Ready {
			unready = append(unready, of.Name)
		}
		began = began || of.State.Waiting == nil || of.LastTerminationState.Terminated != nil
	}
	if s.Phase != corev1.PodFailed && s.Phase != corev1.PodSucceeded {
		s.Phase = corev1.PodPending
		if began && len(starting) == 0 {
			s.Phase = corev1.PodRunning
		}
	}
	condition(s, corev1.PodInitialized, "ContainersNotInitialized", "containers with incomplete status: ", starting)
	why, what := "ContainersNotReady", "containers with unready status: "
	if ended := map[corev1.PodPhase]string{corev1.PodFailed: "PodFailed", corev1.PodSucceeded: "PodCompleted"}[s.Phase]; ended != "" {
		why, what, unready = ended, "", []string{""}
	}
	condition(s, corev1.ContainersReady, why, what, unready)
	condition(s, corev1.PodReady, why, what, unready)
}

// condition is true where nothing is missing.
func condition(s *corev1.PodStatus, kind corev1.PodConditionType, reason, message string, missing []string) {
	to := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
	if len(missing) > 0 {
		to.Status, to.Reason = corev1.ConditionFalse, reason
		if message != "" {
			to.Message = message + "[" + strings.Join(missing, " ") + "]"
		}
	}
	for i := range s.Conditions {
		if old := &s.Conditions[i]; old.Type == kind {
			if old.Status == to.Status {
				to.LastTransitionTime = old.LastTransitionTime
			}
			*old = to
			return
		}
	}
	s.Conditions = append(s.Conditions, to)
}
