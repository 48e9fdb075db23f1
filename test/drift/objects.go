package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/drift"
)

// shapes are what a namespace is made of: the %d-th of each, and what somebody changes in it by hand.
var shapes = []struct{ manifest, change string }{
	{`apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%[1]d, labels: {app: web-%[1]d, team: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web-%[1]d}}
  template:
    metadata: {labels: {app: web-%[1]d, team: shop}}
    spec:
      serviceAccountName: web
      volumes: [{name: settings, configMap: {name: settings-%[1]d}}]
      containers:
      - name: app
        image: registry.example/shop/web:1.4.%[1]d
        args: [--listen=:8080, --log=json]
        ports: [{name: http, containerPort: 8080}]
        env: [{name: LEVEL, value: info}, {name: REGION, value: eu}, {name: CACHE, value: "64"}]
        resources: {requests: {cpu: 250m, memory: 256Mi}, limits: {memory: 512Mi}}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
        livenessProbe: {httpGet: {path: /live, port: http}}
        volumeMounts: [{name: settings, mountPath: /etc/settings}]
`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.example/shop/web:hotfix"}]}}}}`},
	{`apiVersion: v1
kind: Service
metadata: {name: web-%[1]d, labels: {app: web-%[1]d}}
spec:
  selector: {app: web-%[1]d}
  ports: [{name: http, port: 80, targetPort: http}]
`, `{"spec":{"selector":{"app":"other"}}}`},
	{`apiVersion: v1
kind: ConfigMap
metadata: {name: settings-%[1]d, labels: {app: web-%[1]d}}
data: {level: info, region: eu, flags: "a=1,b=2"}
`, `{"data":{"level":"debug"}}`},
	{`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-%[1]d}
spec:
  podSelector: {matchLabels: {app: web-%[1]d}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {team: shop}}}], ports: [{port: 8080, protocol: TCP}]}]
`, `{"spec":{"podSelector":{"matchLabels":{"app":"other"}}}}`},
}

// scene is a namespace of objects and what Git says of them.
type scene struct {
	namespace string
	objects   []*unstructured.Unstructured
	tree      drift.Tree
}

func newScene(namespace string, n int) (scene, error) {
	s := scene{namespace: namespace, tree: drift.Tree{Commit: "c0ffee", Time: time.Unix(1, 0), Files: map[string][]byte{}}}
	for i := range n {
		text := fmt.Sprintf(shapes[i%len(shapes)].manifest, i/len(shapes))
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
			return s, fmt.Errorf("read a manifest: %w", err)
		}
		u.SetNamespace(namespace)
		s.objects = append(s.objects, u)
		file := fmt.Sprintf("apps/web-%d.yaml", i/len(shapes))
		s.tree.Files[file] = append(s.tree.Files[file], "---\n"+text...)
	}
	return s, nil
}

// deliver brings a scene to the cluster, some objects at a time.
func (s scene) deliver(ctx context.Context, c client.Client) error {
	if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}); err != nil {
		return err
	}
	const hands = 8
	failed := make(chan error, hands)
	for hand := range hands {
		go func() {
			for i := hand; i < len(s.objects); i += hands {
				u := s.objects[i].DeepCopy()
				if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kustomize-controller"), client.ForceOwnership); err != nil {
					failed <- fmt.Errorf("deliver %s %s: %w", u.GetKind(), u.GetName(), err)
					return
				}
			}
			failed <- nil
		}()
	}
	var err error
	for range hands {
		err = errors.Join(err, <-failed)
	}
	return err
}

// change has somebody change the first so many objects by hand.
func (s scene) change(ctx context.Context, c client.Client, n int) error {
	for i := range n {
		u := s.objects[i].DeepCopy()
		kind := types.StrategicMergePatchType
		if err := c.Patch(ctx, u, client.RawPatch(kind, []byte(shapes[i%len(shapes)].change)), client.FieldOwner("kubectl-edit")); err != nil {
			return fmt.Errorf("change %s %s: %w", u.GetKind(), u.GetName(), err)
		}
	}
	return nil
}
