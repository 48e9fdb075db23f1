package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

const (
	usageGroup, usageVersion = "metrics.k8s.io", "v1beta1"
	usageService             = "metrics-server" // in kube-system
)

// used is what some containers use.
type used struct {
	of  containers
	use corev1.ResourceList
}

// usage is what tests say that containers use.
type usage struct {
	lock sync.Mutex
	some []used

	serving sync.Mutex
	served  bool
}

func (u *usage) set(x used) {
	u.lock.Lock()
	defer u.lock.Unlock()
	u.some = append(slices.DeleteFunc(u.some, func(old used) bool { return old.of == x.of }), x)
}

// of is what a container uses; nil where nothing was said of it.
func (u *usage) of(namespace, pod, container string) corev1.ResourceList {
	u.lock.Lock()
	defer u.lock.Unlock()
	for _, x := range slices.Backward(u.some) {
		if x.of.match(namespace, pod, container) {
			return x.use
		}
	}
	return nil
}

// Usage says what a container uses from now on, as kubectl top and autoscalers see it: quantities of CPU and memory. Namespace, pod
// and container may be patterns, as in path.Match, and what was said last counts. A pod with a container of which nothing was said has
// no metrics, as one has that was not scraped yet. The first call adds metrics.k8s.io to the cluster, which has none before. It fails
// for a cluster that was only given.
func (c *Cluster) Usage(ctx context.Context, namespace, pod, container, cpu, memory string) error {
	if err := c.ours("say what containers use"); err != nil {
		return err
	}
	of := containers{namespace, pod, container}
	if err := of.check(); err != nil {
		return fmt.Errorf("say what containers use: %w", err)
	}
	use := corev1.ResourceList{}
	for name, quantity := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
		q, err := resource.ParseQuantity(quantity)
		if err != nil {
			return fmt.Errorf("say what containers use: read %s %q: %w", name, quantity, err)
		}
		use[name] = q
	}
	c.usage.set(used{of, use})
	c.usage.serving.Lock()
	defer c.usage.serving.Unlock()
	if c.usage.served {
		return nil
	}
	if err := c.serveUsage(ctx); err != nil {
		return fmt.Errorf("serve %s: %w", usageGroup, err)
	}
	c.usage.served = true
	return nil
}

// serveUsage makes the API server hand metrics.k8s.io on to us. It resolves a Service of type ExternalName by that name, and so
// reaches loopback, where no endpoint may be.
func (c *Cluster) serveUsage(ctx context.Context) error {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: usageService},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"}}
	if _, err := c.client.CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create its Service: %w", err)
	}
	client, err := dynamic.NewForConfig(c.config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": usageVersion + "." + usageGroup},
		"spec": map[string]any{"group": usageGroup, "version": usageVersion, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"insecureSkipTLSVerify": true, // our certificate is of loopback, and the API server expects that of the Service
			"service":               map[string]any{"namespace": service.Namespace, "name": service.Name, "port": int64(c.kubelet.port)}},
	}}
	services := client.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	if _, err := services.Create(ctx, object, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create its APIService: %w", err)
	}
	return poll(ctx, func(ctx context.Context) error {
		_, err := c.client.Discovery().RESTClient().Get().AbsPath("apis", usageGroup, usageVersion, "nodes").DoRaw(ctx)
		return err
	})
}
