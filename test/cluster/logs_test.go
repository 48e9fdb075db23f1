package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/test/cluster"
)

// ours skips where the cluster was only given: what its nodes answer is not for a test to say.
func ours(t *testing.T) *cluster.Cluster {
	t.Helper()
	if os.Getenv("MOORGATE_TEST_KUBECONFIG") != "" {
		t.Skip("a cluster that was only given has its own logs and metrics")
	}
	return cluster.Shared(t)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is the one pod of a new deployment, once it runs.
func running(t *testing.T, client kubernetes.Interface, namespace, name string) *corev1.Pod {
	t.Helper()
	_, err := client.AppsV1().Deployments(namespace).Create(t.Context(), deployment(name, 1, ""), metav1.CreateOptions{})
	must(t, err)
	var pod *corev1.Pod
	eventually(t, "pod runs", func(ctx context.Context) (err error) {
		pod, err = onlyPod(ctx, client, namespace, name)
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = fmt.Errorf("phase %s", pod.Status.Phase)
		}
		return err
	})
	return pod
}

func logOf(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, o corev1.PodLogOptions) (string, error) {
	stream, err := client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &o).Stream(ctx)
	if err != nil {
		return "", err
	}
	log, err := io.ReadAll(stream)
	return string(log), errors.Join(err, stream.Close())
}

func TestLogsAreServed(t *testing.T) {
	c := ours(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	must(t, c.SetLogs("of all"))
	pod := running(t, client, namespace, "talker")
	want := func(o corev1.PodLogOptions, want string) {
		t.Helper()
		if got, err := logOf(t.Context(), client, pod, o); err != nil || got != want {
			t.Errorf("%+v: got %q, %v; want %q", o, got, err, want)
		}
	}
	want(corev1.PodLogOptions{}, "of all\n")
	must(t, c.Log(namespace, "talk*", "*", "of a pattern"))
	want(corev1.PodLogOptions{}, "of a pattern\n")
	must(t, c.Log(namespace, pod.Name, "app", "one", "two", "three"))
	must(t, c.Log(namespace, "other-*", "app", "of others"))
	want(corev1.PodLogOptions{}, "one\ntwo\nthree\n")
	want(corev1.PodLogOptions{TailLines: new(int64(2))}, "two\nthree\n")
	want(corev1.PodLogOptions{TailLines: new(int64(9))}, "one\ntwo\nthree\n")
	want(corev1.PodLogOptions{LimitBytes: new(int64(5))}, "one\nt")
	want(corev1.PodLogOptions{SinceTime: &metav1.Time{Time: pod.CreationTimestamp.AddDate(1, 0, 0)}}, "")
	got, err := logOf(t.Context(), client, pod, corev1.PodLogOptions{Timestamps: true, TailLines: new(int64(1))})
	if at, text, _ := strings.Cut(got, " "); err != nil || text != "three\n" || !strings.HasSuffix(at, "Z") {
		t.Errorf("with timestamps: %q, %v", got, err)
	}
	out, err := c.Kubectl(t.Context(), "logs", "-n", namespace, "deployment/talker").Output()
	if err != nil || string(out) != "one\ntwo\nthree\n" {
		t.Errorf("kubectl logs: %q, %v", out, err)
	}
	if err := c.Log(namespace, "[", "app"); err == nil {
		t.Error("a pattern that is none was taken")
	}
}

func TestAFollowedLogGoesOn(t *testing.T) {
	c := ours(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	pod := running(t, client, namespace, "talker")
	must(t, c.Log(namespace, pod.Name, "app", "one"))
	log, err := client.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Follow: true}).Stream(t.Context())
	must(t, err)
	defer func() { _ = log.Close() }()
	read := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		for n := 0; n < len(want); {
			more, err := log.Read(got[n:])
			if err != nil {
				t.Fatalf("got %q, %v; want %q", got[:n+more], err, want)
			}
			n += more
		}
		if string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	read("one\n")
	must(t, c.Log(namespace, pod.Name, "app", "one", "two"))
	read("two\n")
}

// What a kubelet refuses to show, and in which words.
func TestLogsOfEveryState(t *testing.T) {
	c := ours(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	pod := running(t, client, namespace, "talker")
	must(t, c.Log(namespace, "talker-*", "app", "now"))
	must(t, c.LogBefore(namespace, "talker-*", "app", "before"))
	for _, x := range []struct {
		state             string
		changes           []func(*corev1.PodStatus)
		current, previous string // a log, or what the error says
	}{
		{"it runs", nil, "now\n", `previous terminated container "app" in pod "` + pod.Name + `" not found`},
		{"it has ended", []func(*corev1.PodStatus){cluster.Exited("app", "Error", 1)}, "now\n", "not found"},
		{"its image cannot be pulled", []func(*corev1.PodStatus){cluster.Waiting("app", "ErrImagePull", "no such image")}, "waiting to start: image can't be pulled", "not found"},
		{"its image still cannot", []func(*corev1.PodStatus){cluster.Waiting("app", "ImagePullBackOff", "no such image")}, "waiting to start: trying and failing to pull image", "not found"},
		{"it lacks a Secret", []func(*corev1.PodStatus){cluster.Waiting("app", "CreateContainerConfigError", `secret "db" not found`)}, "waiting to start: CreateContainerConfigError", "not found"},
		{"it runs again", []func(*corev1.PodStatus){cluster.Restarted("app", 1, "Error", 1), cluster.Running("app", true)}, "now\n", "before\n"},
		{"it loops", []func(*corev1.PodStatus){cluster.Restarted("app", 5, "Error", 1), cluster.Waiting("app", "CrashLoopBackOff", "back-off 5m0s")}, "before\n", "before\n"},
	} {
		t.Run(x.state, func(t *testing.T) {
			must(t, c.SetStatus(t.Context(), namespace, pod.Name, x.changes...))
			for previous, want := range map[bool]string{false: x.current, true: x.previous} {
				got, err := logOf(t.Context(), client, pod, corev1.PodLogOptions{Previous: previous})
				if err != nil {
					got = err.Error()
				}
				if isLog := strings.HasSuffix(want, "\n"); isLog && got != want || !strings.Contains(got, want) || isLog != (err == nil) {
					t.Errorf("previous %t: got %q, want %q", previous, got, want)
				}
			}
		})
	}
}
