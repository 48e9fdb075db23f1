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

	"moorgate.dev/test/cluster"
)

func TestAPodIsPutIntoAnyState(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	d := deployment("web", 1, "")
	d.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "registry.example/shop/migrate:1"}}
	_, err := client.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{})
	must(t, err)
	var name string
	eventually(t, "pod runs", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "web")
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = fmt.Errorf("phase %s", pod.Status.Phase)
		}
		if err == nil {
			name = pod.Name
		}
		return err
	})
	app := func(p *corev1.Pod) corev1.ContainerStatus { return p.Status.ContainerStatuses[0] }
	for _, x := range []struct {
		state   string
		changes []func(*corev1.PodStatus)
		phase   corev1.PodPhase
		ready   bool
		kubectl string // in the column STATUS
		holds   func(p *corev1.Pod) bool
	}{
		{"not ready", []func(*corev1.PodStatus){cluster.Running("app", false)}, corev1.PodRunning, false, "Running", func(p *corev1.Pod) bool { return app(p).State.Running != nil && *app(p).Started }},
		{"killed for memory", []func(*corev1.PodStatus){cluster.Exited("app", "OOMKilled", 137)}, corev1.PodRunning, false, "OOMKilled", func(p *corev1.Pod) bool { return app(p).State.Terminated.ExitCode == 137 }},
		{"in back-off", []func(*corev1.PodStatus){cluster.Restarted("app", 7, "OOMKilled", 137), cluster.Waiting("app", "CrashLoopBackOff", "back-off 5m0s")}, corev1.PodRunning, false, "CrashLoopBackOff",
			func(p *corev1.Pod) bool {
				return app(p).RestartCount == 7 && app(p).LastTerminationState.Terminated.Reason == "OOMKilled"
			}},
		{"well again", []func(*corev1.PodStatus){cluster.Running("app", true)}, corev1.PodRunning, true, "Running", func(p *corev1.Pod) bool { return app(p).RestartCount == 7 }},
		{"stuck in its init container", []func(*corev1.PodStatus){cluster.Waiting("migrate", "CrashLoopBackOff", "back-off"), cluster.Restarted("migrate", 3, "Error", 2)}, corev1.PodPending, false, "Init:CrashLoopBackOff",
			func(p *corev1.Pod) bool { return app(p).State.Waiting.Reason == "PodInitializing" }},
		{"an image that is not there", []func(*corev1.PodStatus){cluster.Exited("migrate", "Completed", 0), cluster.Waiting("app", "ImagePullBackOff", "429 Too Many Requests"), func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{}
		}}, corev1.PodPending, false, "ImagePullBackOff", func(p *corev1.Pod) bool { return app(p).State.Waiting.Message == "429 Too Many Requests" }},
		{"being created", []func(*corev1.PodStatus){cluster.Waiting("app", "ContainerCreating", "")}, corev1.PodPending, false, "ContainerCreating", func(*corev1.Pod) bool { return true }},
		{"evicted", []func(*corev1.PodStatus){func(s *corev1.PodStatus) {
			s.Phase, s.Reason, s.ContainerStatuses, s.InitContainerStatuses = corev1.PodFailed, "Evicted", nil, nil
		}}, corev1.PodFailed, false, "Evicted", func(*corev1.Pod) bool { return true }},
	} {
		t.Run(x.state, func(t *testing.T) {
			must(t, c.SetStatus(t.Context(), namespace, name, x.changes...))
			got, err := client.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
			must(t, err)
			ready := false
			for _, cond := range got.Status.Conditions {
				ready = ready || cond.Type == corev1.PodReady && cond.Status == corev1.ConditionTrue
			}
			if shown, _ := json.Marshal(got.Status); got.Status.Phase != x.phase || ready != x.ready || !x.holds(got) {
				t.Errorf("status %s", shown)
			}
			out, err := c.Kubectl(t.Context(), "get", "pod", name, "-n", namespace, "--no-headers").CombinedOutput()
			fields := append([]string{"", "", ""}, strings.Fields(string(out))...)
			if err != nil || fields[5] != x.kubectl {
				t.Errorf("kubectl says %q, %v; want %s", out, err, x.kubectl)
			}
		})
	}
}

// KWOK plays a crash loop; once a test has the pod in its hands, nothing moves it any more, and it still goes when it is deleted.
func TestAPodInATestsHandsIsLeftAlone(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	_, err := client.AppsV1().Deployments(namespace).Create(t.Context(), deployment("loop", 1, cluster.CrashLoop), metav1.CreateOptions{})
	must(t, err)
	var name string
	var uid types.UID
	eventually(t, "a restart", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "loop")
		if err == nil && (len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].RestartCount == 0) {
			err = fmt.Errorf("status %+v", pod.Status)
		}
		if err == nil {
			name, uid = pod.Name, pod.UID
		}
		return err
	})
	must(t, c.SetStatus(t.Context(), namespace, name, cluster.Restarted("app", 1000, "Error", 3), cluster.Running("app", true)))
	// The controllers act on it: the Deployment counts the pod as available.
	eventually(t, "deployment available", func(ctx context.Context) error {
		d, err := client.AppsV1().Deployments(namespace).Get(ctx, "loop", metav1.GetOptions{})
		if err == nil && d.Status.AvailableReplicas != 1 {
			err = fmt.Errorf("status %+v", d.Status)
		}
		return err
	})
	got, err := client.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || got.Status.ContainerStatuses[0].RestartCount != 1000 || got.Status.ContainerStatuses[0].State.Running == nil {
		t.Errorf("status %+v, %v", got.Status.ContainerStatuses, err)
	}
	must(t, client.CoreV1().Pods(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	eventually(t, "another pod", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "loop")
		if err == nil && pod.UID == uid {
			err = fmt.Errorf("it is still there")
		}
		return err
	})
}

func TestANodeIsPutIntoAnyCondition(t *testing.T) {
	c := cluster.Shared(t)
	client := newClient(t, c)
	names, err := c.AddNodes(t.Context(), cluster.NodeOptions{Count: 1, NamePrefix: "ill", Taints: []corev1.Taint{{Key: "alone", Effect: corev1.TaintEffectNoSchedule}}})
	must(t, err)
	node := names[0]
	t.Cleanup(func() { _ = client.CoreV1().Nodes().Delete(context.Background(), node, metav1.DeleteOptions{}) })
	tainted := func(key string, want bool) func(context.Context) error {
		return func(ctx context.Context) error {
			n, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
			if err != nil {
				return err
			}
			found := false
			for _, taint := range n.Spec.Taints {
				found = found || taint.Key == key
			}
			if found != want {
				return fmt.Errorf("taints %v", n.Spec.Taints)
			}
			return nil
		}
	}
	must(t, c.SetNodeCondition(t.Context(), node, corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Reason: "KubeletHasDiskPressure", Message: "kubelet has disk pressure"}))
	eventually(t, "tainted for its disk", tainted(corev1.TaintNodeDiskPressure, true))
	must(t, c.SetNodeCondition(t.Context(), node, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady", Message: "PLEG is not healthy"}))
	eventually(t, "tainted as not ready", tainted(corev1.TaintNodeNotReady, true))
	out, err := c.Kubectl(t.Context(), "get", "node", node, "--no-headers").CombinedOutput()
	if fields := strings.Fields(string(out)); err != nil || len(fields) < 2 || fields[1] != "NotReady" {
		t.Errorf("kubectl says %q, %v", out, err)
	}
	must(t, c.HealNode(t.Context(), node))
	eventually(t, "without that taint", tainted(corev1.TaintNodeNotReady, false))
	eventually(t, "without the other", tainted(corev1.TaintNodeDiskPressure, false))
}
