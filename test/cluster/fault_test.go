package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/test/cluster"
)

// want is what a fault must come to show.
type want struct {
	fault cluster.Fault
	phase corev1.PodPhase
	// state judges the status of the first container.
	state func(corev1.ContainerStatus) bool
	// events must each occur at least twice, by type, reason and a part of the message.
	events []corev1.Event
}

func warning(reason, message string) corev1.Event {
	return corev1.Event{Type: corev1.EventTypeWarning, Reason: reason, Message: message}
}

func normal(reason, message string) corev1.Event {
	return corev1.Event{Type: corev1.EventTypeNormal, Reason: reason, Message: message}
}

// looping is the status of a container in back-off after its second restart or a later one.
func looping(exit int32, reason string) func(corev1.ContainerStatus) bool {
	return func(s corev1.ContainerStatus) bool {
		last := s.LastTerminationState.Terminated
		return !s.Ready && s.RestartCount >= 2 && waiting(s, "CrashLoopBackOff", "restarting failed container=app") &&
			last != nil && last.ExitCode == exit && last.Reason == reason && !last.FinishedAt.IsZero()
	}
}

func waiting(s corev1.ContainerStatus, reason, message string) bool {
	return s.State.Waiting != nil && s.State.Waiting.Reason == reason && strings.Contains(s.State.Waiting.Message, message)
}

var wants = []want{
	{cluster.CrashLoop, corev1.PodRunning, looping(1, "Error"), []corev1.Event{
		warning("BackOff", "Back-off restarting failed container app in pod crashloop-"),
		normal("Pulled", "already present"), normal("Created", "Container created"), normal("Started", "Container started"),
	}},
	{cluster.OOMKilled, corev1.PodRunning, looping(137, "OOMKilled"), []corev1.Event{
		warning("BackOff", "Back-off restarting failed container app in pod oomkilled-"),
	}},
	{cluster.ImagePull, corev1.PodPending, func(s corev1.ContainerStatus) bool {
		return waiting(s, "ImagePullBackOff", `Back-off pulling image "registry.example/shop/imagepull:1.4": ErrImagePull: rpc error: code = NotFound`)
	}, []corev1.Event{
		warning("Failed", `Failed to pull image "registry.example/shop/imagepull:1.4": rpc error: code = NotFound`),
		warning("Failed", "Error: ErrImagePull"), warning("Failed", "Error: ImagePullBackOff"),
		normal("Pulling", "Pulling image"), normal("BackOff", "Back-off pulling image"),
	}},
	{cluster.ConfigError, corev1.PodPending, func(s corev1.ContainerStatus) bool {
		return waiting(s, "CreateContainerConfigError", `secret "app-credentials" not found`)
	}, []corev1.Event{warning("Failed", `Error: secret "app-credentials" not found`)}},
	{cluster.NotReady, corev1.PodRunning, func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil && !s.Ready && s.Started != nil && *s.Started && s.RestartCount == 0
	}, []corev1.Event{warning("Unhealthy", "Readiness probe failed: ")}},
}

func TestFaults(t *testing.T) {
	c := cluster.Shared(t)
	client := newClient(t, c)
	for _, w := range wants {
		t.Run(string(w.fault), func(t *testing.T) {
			t.Parallel()
			namespace := c.Namespace(t, nil)
			deployments, name := client.AppsV1().Deployments(namespace), string(w.fault)
			if _, err := deployments.Create(t.Context(), deployment(name, 1, w.fault), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "status as a kubelet writes it", func(ctx context.Context) error {
				pod, err := onlyPod(ctx, client, namespace, name)
				if err != nil {
					return err
				}
				return w.check(pod)
			})
			for _, e := range w.events {
				eventually(t, "event "+e.Reason, func(ctx context.Context) error { return repeated(ctx, client, namespace, name, e) })
			}
			heals(t, client, namespace, name)
		})
	}
}

// check compares the whole status, unready as every fault leaves the pod.
func (w want) check(pod *corev1.Pod) error {
	shown, _ := json.Marshal(pod.Status)
	if pod.Status.Phase != w.phase || len(pod.Status.ContainerStatuses) != 1 || !w.state(pod.Status.ContainerStatuses[0]) {
		return fmt.Errorf("status %s", shown)
	}
	unready := 0
	for _, condition := range pod.Status.Conditions {
		if condition.Reason == "ContainersNotReady" && condition.Status == corev1.ConditionFalse &&
			condition.Message == "containers with unready status: [app]" {
			unready++
		}
	}
	if unready != 2 || pod.Status.StartTime == nil || pod.Status.HostIP == "" || pod.Status.PodIP == "" {
		return fmt.Errorf("conditions or addresses in status %s", shown)
	}
	return nil
}

// repeated looks for e about the pod's container, from the kubelet of its node, with a count that has grown.
func repeated(ctx context.Context, client kubernetes.Interface, namespace, app string, e corev1.Event) error {
	pod, err := onlyPod(ctx, client, namespace, app)
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.uid=" + string(pod.UID)})
	if err != nil {
		return err
	}
	var seen []string
	for _, got := range list.Items {
		seen = append(seen, fmt.Sprintf("%s %s x%d %s", got.Type, got.Reason, got.Count, got.Message))
		if got.Type == e.Type && got.Reason == e.Reason && strings.Contains(got.Message, e.Message) && got.Count >= 2 &&
			got.Source == (corev1.EventSource{Component: "kubelet", Host: pod.Spec.NodeName}) &&
			got.InvolvedObject.FieldPath == "spec.containers{app}" && !got.LastTimestamp.Before(&got.FirstTimestamp) {
			return nil
		}
	}
	return fmt.Errorf("not among\n%s", strings.Join(seen, "\n"))
}

// heals takes the label out of the template: the rollout gives a ready pod.
func heals(t *testing.T, client kubernetes.Interface, namespace, name string) {
	t.Helper()
	patch := `{"spec":{"template":{"metadata":{"labels":{"` + cluster.FaultLabel + `":null}}}}}`
	deployments := client.AppsV1().Deployments(namespace)
	if _, err := deployments.Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "healed by a rollout", func(ctx context.Context) error {
		d, err := deployments.Get(ctx, name, metav1.GetOptions{})
		s := d.Status
		if err == nil && (s.ObservedGeneration < d.Generation || s.UpdatedReplicas != 1 || s.AvailableReplicas != 1 || s.Replicas != 1) {
			err = fmt.Errorf("status %+v", s)
		}
		return err
	})
}

func TestFaultyContainerThatIsNeverRestartedFailsItsPod(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	template := deployment("once", 1, cluster.OOMKilled).Spec.Template
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.Spec.RestartPolicy = "once", corev1.RestartPolicyNever
	if _, err := client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod Failed", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "once")
		if err == nil && (pod.Status.Phase != corev1.PodFailed || pod.Status.ContainerStatuses[0].State.Terminated.Reason != "OOMKilled") {
			err = fmt.Errorf("status %+v", pod.Status)
		}
		return err
	})
}
