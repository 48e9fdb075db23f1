package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	writers  = 16 // at once
	shops    = 20 // namespaces
	perShop  = 10 // pods to a Deployment
	judged   = "moorgate.dev/load"
	nodeName = "node-%04d"
	// templateHash is that of every ReplicaSet.
	templateHash = "6d4cf56db6"
)

// filler writes a cluster's worth of objects as controllers and kubelets would have left them.
type filler struct {
	client kubernetes.Interface
	o      options
	each   int // pods to a Deployment
	at     metav1.Time
}

// fill writes the nodes, and namespaces with Deployments, their pods and what goes with them.
func (f *filler) fill(ctx context.Context) error {
	f.at = metav1.NewTime(time.Now().Add(-time.Hour))
	var first []func(context.Context) error
	for i := range f.o.nodes {
		first = append(first, func(ctx context.Context) error {
			n, err := f.client.CoreV1().Nodes().Create(ctx, f.node(i), metav1.CreateOptions{})
			if err != nil {
				return err
			}
			n.Spec.Taints = nil // not-ready, which each node begins with
			_, err = f.client.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{})
			return err
		})
	}
	for i := range shops {
		first = append(first, func(ctx context.Context) error { return f.namespace(ctx, shop(i)) })
	}
	if err := all(ctx, first); err != nil {
		return fmt.Errorf("write nodes and namespaces: %w", err)
	}
	var apps []func(context.Context) error
	for i := range (f.o.pods + f.each - 1) / f.each {
		apps = append(apps, func(ctx context.Context) error { return f.app(ctx, i) })
	}
	if err := all(ctx, apps); err != nil {
		return fmt.Errorf("write Deployments and pods: %w", err)
	}
	return nil
}

func shop(i int) string { return fmt.Sprintf("shop-%d", i%shops) }

// namespace makes a namespace that pods can be in: no controller makes the ServiceAccount that they need.
func (f *filler) namespace(ctx context.Context, name string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{judged: "judged"}}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if err := ignore(f.client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})); err != nil {
		return err
	}
	return ignore(f.client.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{}))
}

// app writes a Deployment that is rolled out, with its ReplicaSet, pods, Service, endpoints and configuration.
func (f *filler) app(ctx context.Context, i int) error {
	ns, name := shop(i), fmt.Sprintf("app-%d", i)
	size := min(f.each, f.o.pods-i*f.each)
	d := deployment(ns, name, "1.0.0")
	d.Spec.Replicas = new(int32(size))
	d.Annotations = map[string]string{"deployment.kubernetes.io/revision": "1"}
	d, err := f.client.AppsV1().Deployments(ns).Create(ctx, d, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	rs, err := f.replicas(ctx, d)
	if err != nil {
		return err
	}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name + "-x7k2p", Namespace: ns, Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}}}
	for n := range size {
		pod, err := f.pod(ctx, rs, i*f.each+n)
		if err != nil {
			return err
		}
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{pod.Status.PodIP}, NodeName: &pod.Spec.NodeName,
			Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: ns, Name: pod.Name, UID: pod.UID}})
	}
	_, err = f.client.DiscoveryV1().EndpointSlices(ns).Create(ctx, slice, metav1.CreateOptions{})
	return errors.Join(err, f.around(ctx, d))
}

// replicas writes the ReplicaSet of a Deployment, and the status of both.
func (f *filler) replicas(ctx context.Context, d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	labels := map[string]string{"app": d.Name, "pod-template-hash": templateHash}
	template := *d.Spec.Template.DeepCopy()
	template.Labels = labels
	rs := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: d.Name + "-" + templateHash, Namespace: d.Namespace, Labels: labels, Annotations: d.Annotations,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))}},
		Spec: appsv1.ReplicaSetSpec{Replicas: d.Spec.Replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template}}
	rs, err := f.client.AppsV1().ReplicaSets(d.Namespace).Create(ctx, rs, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	size := *d.Spec.Replicas
	rs.Status = appsv1.ReplicaSetStatus{Replicas: size, ReadyReplicas: size, AvailableReplicas: size, FullyLabeledReplicas: size, ObservedGeneration: rs.Generation}
	if rs, err = f.client.AppsV1().ReplicaSets(d.Namespace).UpdateStatus(ctx, rs, metav1.UpdateOptions{}); err != nil {
		return nil, err
	}
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: size, UpdatedReplicas: size, ReadyReplicas: size, AvailableReplicas: size,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", LastTransitionTime: f.at, LastUpdateTime: f.at},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", LastTransitionTime: f.at, LastUpdateTime: f.at}}}
	_, err = f.client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return rs, err
}

// around writes the Service and the ConfigMap of a Deployment.
func (f *filler) around(ctx context.Context, d *appsv1.Deployment) error {
	meta := metav1.ObjectMeta{Name: d.Name, Namespace: d.Namespace, Labels: map[string]string{"app": d.Name}}
	_, err := f.client.CoreV1().Services(d.Namespace).Create(ctx, service(meta), metav1.CreateOptions{})
	_, other := f.client.CoreV1().ConfigMaps(d.Namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"config.yaml": "log: json\n"}}, metav1.CreateOptions{})
	return errors.Join(err, other)
}

// all does everything, a few at once, until something fails.
func all(ctx context.Context, todo []func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan func(context.Context) error)
	var busy sync.WaitGroup
	for range writers {
		busy.Go(func() {
			for do := range queue {
				if err := do(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, do := range todo {
		if ctx.Err() != nil {
			break
		}
		queue <- do
	}
	close(queue)
	busy.Wait()
	return context.Cause(ctx)
}

// ignore drops what was created, and that it was there already.
func ignore[T any](_ T, err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
