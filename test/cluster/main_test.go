package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/test/cluster"
)

// ownerVar makes this test binary start a cluster, print its folder and wait to be killed.
const ownerVar = "MOORGATE_TEST_OWN_A_CLUSTER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerVar) != "" {
		ownCluster()
	}
	os.Exit(cluster.Main(m))
}

func newClient(t *testing.T, c *cluster.Cluster) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// eventually polls until check returns nil, or fails the test with its last error.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := errors.New("never checked")
	for ctx.Err() == nil {
		if err = check(ctx); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}

// deployment is one container "app" with quick faults: it runs for no time, and its back-off starts at a fifth of a second.
func deployment(name string, replicas int32, fault cluster.Fault) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{"app": name},
			Annotations: map[string]string{cluster.RunForAnnotation: "100ms", cluster.BackoffBaseAnnotation: "200ms"},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name:  "app",
			Image: "registry.example/shop/" + name + ":1.4",
			EnvFrom: []corev1.EnvFromSource{{
				SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "app-credentials"}},
			}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}},
		}}},
	}
	if fault != "" {
		template.Labels[cluster.FaultLabel] = string(fault)
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
}

// onlyPod is the one pod of a deployment.
func onlyPod(ctx context.Context, client kubernetes.Interface, namespace, app string) (*corev1.Pod, error) {
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return nil, err
	}
	if len(pods.Items) != 1 {
		return nil, fmt.Errorf("%d pods, want 1", len(pods.Items))
	}
	return &pods.Items[0], nil
}
