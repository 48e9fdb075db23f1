package cluster_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

func TestUsageIsServed(t *testing.T) {
	c := ours(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	busy, idle := running(t, client, namespace, "busy"), running(t, client, namespace, "idle")
	must(t, c.Usage(t.Context(), namespace, "busy-*", "app", "250m", "1Gi"))
	must(t, c.Usage(t.Context(), namespace, busy.Name, "app", "1500m", "3Gi"))
	if err := c.Usage(t.Context(), namespace, "*", "*", "much", "1Gi"); err == nil || !strings.Contains(err.Error(), `cpu "much"`) {
		t.Errorf("a quantity that is none: %v", err)
	}

	out, err := c.Kubectl(t.Context(), "top", "pods", "-n", namespace, "--no-headers").CombinedOutput()
	if err != nil || strings.Join(strings.Fields(string(out)), " ") != busy.Name+" 1500m 3072Mi" {
		t.Errorf("kubectl top pods: %q, %v", out, err)
	}
	must(t, c.Usage(t.Context(), namespace, idle.Name, "app", "0", "64Mi"))
	out, err = c.Kubectl(t.Context(), "top", "pods", "-n", namespace, "--no-headers", "-l", "app=idle").CombinedOutput()
	if err != nil || strings.Join(strings.Fields(string(out)), " ") != idle.Name+" 0m 64Mi" {
		t.Errorf("kubectl top pods by label: %q, %v", out, err)
	}
	out, err = c.Kubectl(t.Context(), "top", "node", busy.Spec.NodeName, "--no-headers").CombinedOutput()
	if fields := strings.Fields(string(out)); err != nil || len(fields) != 5 || fields[0] != busy.Spec.NodeName || fields[1] == "0m" {
		t.Errorf("kubectl top node: %q, %v", out, err)
	}
}

func TestUsageIsForThoseWhoMaySeeIt(t *testing.T) {
	c := ours(t)
	client, namespace := newClient(t, c), c.Namespace(t, nil)
	pod := running(t, client, namespace, "web")
	must(t, c.Usage(t.Context(), namespace, "web-*", "app", "10m", "20Mi"))
	metrics := func(config *rest.Config) dynamic.ResourceInterface {
		client, err := dynamic.NewForConfig(config)
		must(t, err)
		return client.Resource(schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "pods"}).Namespace(namespace)
	}
	got, err := metrics(c.Config()).Get(t.Context(), pod.Name, metav1.GetOptions{})
	must(t, err)
	list, _, err := unstructured.NestedSlice(got.Object, "containers")
	if err != nil || len(list) != 1 || got.GetKind() != "PodMetrics" {
		t.Errorf("got %v, %v", got.Object, err)
	}
	if _, err := metrics(c.Config()).Get(t.Context(), "nobody", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a pod that is not there: %v", err)
	}
	config, err := c.ServiceAccount(t.Context(), namespace, "curious")
	must(t, err)
	_, err = metrics(config).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("without a right: %v, want Forbidden", err)
	}
}
