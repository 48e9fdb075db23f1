package webhook

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/webhook/checks"
)

// TestALeanPodAnswersAsAWholeOne shows that what the checks ask about a pod that exists is kept, and that its length is not.
func TestALeanPodAnswersAsAWholeOne(t *testing.T) {
	var lean Lean
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(*corev1.Pod){
		"runs": func(*corev1.Pod) {},
		"was killed for its memory": func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
		},
		"waits in an init container": func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}
		},
		"has a sidecar and overhead": func(p *corev1.Pod) {
			p.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
			p.Spec.Overhead = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole := wholePod()
			change(whole)
			pod := whole.DeepCopy()
			if _, err := lean.Trim(pod); err != nil {
				t.Fatal(err)
			}
			if got, want := checks.Requests(pod), checks.Requests(whole); !sameRequests(got, want) {
				t.Errorf("asks for %v in place of %v", got, want)
			}
			if got, want := checks.FailureOf(pod, now), checks.FailureOf(whole, now); got != want {
				t.Errorf("fails with %q in place of %q", got, want)
			}
			if got, want := checks.FailedContainers(pod, now), checks.FailedContainers(whole, now); !reflect.DeepEqual(got, want) {
				t.Errorf("has failed as %v in place of %v", got, want)
			}
			if !reflect.DeepEqual(pod.Labels, whole.Labels) || !reflect.DeepEqual(pod.OwnerReferences, whole.OwnerReferences) || pod.Spec.NodeName != whole.Spec.NodeName {
				t.Errorf("is another: %v", pod)
			}
			if pod.Spec.Volumes != nil || pod.Spec.Containers[0].Env != nil || pod.Annotations != nil {
				t.Errorf("is as long as before: %v", pod)
			}
		})
	}
}

// TestPodsThatAskForTheSameShareIt shows that thousands of pods alike hold one list of resources.
func TestPodsThatAskForTheSameShareIt(t *testing.T) {
	var lean Lean
	pods := [2]*corev1.Pod{wholePod(), wholePod()}
	for _, p := range pods {
		if _, err := lean.Trim(p); err != nil {
			t.Fatal(err)
		}
	}
	list := func(p *corev1.Pod) uintptr { return reflect.ValueOf(p.Spec.Containers[0].Resources.Requests).Pointer() }
	if list(pods[0]) != list(pods[1]) {
		t.Error("each has its own")
	}
}

func wholePod() *corev1.Pod {
	asks := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"long": "text"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", UID: "1", Controller: new(true)}}},
		Spec: corev1.PodSpec{NodeName: "node-1", Volumes: []corev1.Volume{{Name: "token"}},
			InitContainers: []corev1.Container{{Name: "init", Image: "init:1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}}},
			Containers: []corev1.Container{{Name: "app", Image: "app:1", Env: []corev1.EnvVar{{Name: "A", Value: "B"}},
				Resources: corev1.ResourceRequirements{Requests: asks}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "app:1", ImageID: "app@sha256:1",
			ContainerID: "containerd://1", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}},
	}
}
