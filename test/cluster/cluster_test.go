package cluster_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/test/cluster"
)

func TestDeploymentBecomesAvailableAndItsPodsGo(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, map[string]string{"team": "shop"})
	deployments := client.AppsV1().Deployments(namespace)
	if _, err := deployments.Create(t.Context(), deployment("web", 5, ""), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "five replicas available", func(ctx context.Context) error {
		d, err := deployments.Get(ctx, "web", metav1.GetOptions{})
		if err == nil && d.Status.AvailableReplicas != 5 {
			err = fmt.Errorf("status %+v", d.Status)
		}
		return err
	})
	if err := deployments.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all pods gone", func(ctx context.Context) error {
		pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d pods are left", len(pods.Items))
		}
		return err
	})
}

func TestJobCompletes(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "migrate"}}
	job.Spec.Template.Spec = deployment("migrate", 1, "").Spec.Template.Spec
	job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	if _, err := client.BatchV1().Jobs(namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "job complete", func(ctx context.Context) error {
		j, err := client.BatchV1().Jobs(namespace).Get(ctx, "migrate", metav1.GetOptions{})
		if err == nil && (j.Status.Succeeded != 1 || j.Status.CompletionTime == nil) {
			err = fmt.Errorf("status %+v", j.Status)
		}
		return err
	})
}

func TestHugePodIsUnschedulable(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	d := deployment("huge", 1, "")
	d.Spec.Template.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("4000")
	if _, err := client.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod Unschedulable", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "huge")
		if err != nil {
			return err
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodScheduled && condition.Reason == corev1.PodReasonUnschedulable {
				return nil
			}
		}
		return fmt.Errorf("status %+v", pod.Status)
	})
	eventually(t, "FailedScheduling event", func(ctx context.Context) error {
		events, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=FailedScheduling"})
		if err != nil {
			return err
		}
		for _, e := range events.Items {
			if strings.Contains(e.Message, "Insufficient cpu") {
				return nil
			}
		}
		return fmt.Errorf("%d events, none says Insufficient cpu", len(events.Items))
	})
}

func TestClaimBindsAndItsPodRuns(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
	if _, err := client.CoreV1().PersistentVolumeClaims(namespace).Create(t.Context(), claim, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	d := deployment("db", 1, "")
	d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "store", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "store"},
	}}}
	if _, err := client.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod with a claim Running", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "db")
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = fmt.Errorf("status %+v", pod.Status)
		}
		return err
	})
}

func TestServiceAccountMayOnlyWhatItIsGranted(t *testing.T) {
	c := cluster.Shared(t)
	namespace := c.Namespace(t, nil)
	config, err := c.ServiceAccount(t.Context(), namespace, "reader")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("list Secrets with a fresh ServiceAccount: got %v, want Forbidden", err)
	}
	path, err := c.ServiceAccountKubeconfig(t.Context(), namespace, "reader")
	if err != nil {
		t.Fatal(err)
	}
	whoami := c.Kubectl(t.Context(), "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", "--kubeconfig", path)
	out, err := whoami.Output()
	if want := "system:serviceaccount:" + namespace + ":reader"; err != nil || string(out) != want {
		t.Fatalf("kubectl auth whoami: got %q, %v; want %q", out, err, want)
	}
}

func TestAddedNodesAreReadyAndTakePods(t *testing.T) {
	c := cluster.Shared(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	taint := corev1.Taint{Key: "pool", Value: "large", Effect: corev1.TaintEffectNoSchedule}
	names, err := c.AddNodes(t.Context(), cluster.NodeOptions{
		Count: 2, CPU: "64", Memory: "256Gi", Labels: map[string]string{"pool": "large"}, Taints: []corev1.Taint{taint}, NamePrefix: "large",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, name := range names {
			_ = client.CoreV1().Nodes().Delete(context.Background(), name, metav1.DeleteOptions{})
		}
	})
	d := deployment("batch", 1, "")
	d.Spec.Template.Spec.NodeSelector = map[string]string{"pool": "large"}
	d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "pool", Operator: corev1.TolerationOpExists}}
	d.Spec.Template.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("40")
	if _, err := client.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pod Running on an added node", func(ctx context.Context) error {
		pod, err := onlyPod(ctx, client, namespace, "batch")
		if err == nil && (pod.Status.Phase != corev1.PodRunning || !slices.Contains(names, pod.Spec.NodeName)) {
			err = fmt.Errorf("on %q, status %+v", pod.Spec.NodeName, pod.Status)
		}
		return err
	})
}

func TestMissingAssetsAreNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/etcd", nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBEBUILDER_ASSETS", dir)
	_, err := cluster.Binaries(t.Context(), os.Stderr)
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok;") {
		t.Fatalf("got %v, want the missing programs by name", err)
	}
}
