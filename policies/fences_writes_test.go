package policies

import (
	"context"
	"encoding/json"

	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// patch sends a merge patch to a workload named web.
func (s stage) patch(kind, body string, options ...client.PatchOption) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		return h.client.Patch(ctx, s.workload(kind), client.RawPatch(types.MergePatchType, []byte(body)), options...)
	}
}

func (s stage) workload(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("apps/v1")
	u.SetKind(kind)
	u.SetNamespace(s.namespace)
	u.SetName("web")
	return u
}

// mark applies annotations server-side, as the judge does.
func (s stage) mark(annotations map[string]string) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		u := s.workload("Deployment")
		u.SetAnnotations(annotations)
		return h.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("moorgate"), client.ForceOwnership)
	}
}

func create(obj client.Object, options ...client.CreateOption) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		return h.client.Create(ctx, obj.DeepCopyObject().(client.Object), options...)
	}
}

func remove(obj client.Object) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error { return h.client.Delete(ctx, obj) }
}

func patch(obj client.Object, body string, options ...client.PatchOption) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		return h.client.Patch(ctx, obj.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(body)), options...)
	}
}

func patchStatus(obj client.Object, body string) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		return h.client.Status().Patch(ctx, obj.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(body)))
	}
}

func secret(namespace, name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func lease(namespace, name string) *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// trials are changes of what is compared with Git besides rollouts. They leave no room for a mark of ours: only dry runs pass.
func (s stage) trials(options ...client.PatchOption) []write {
	var all []write
	for _, one := range []struct{ version, kind, name, body string }{
		{"v1", "ConfigMap", "settings", `{"data":{"a":"b"}}`},
		{"v1", "Service", "web", `{"spec":{"selector":{"app":"other"}}}`},
		{"batch/v1", "CronJob", "web", `{"spec":{"schedule":"@hourly"}}`},
		{"networking.k8s.io/v1", "Ingress", "web", `{"spec":{"defaultBackend":{"service":{"name":"other"}}}}`},
		{"networking.k8s.io/v1", "NetworkPolicy", "web", `{"spec":{"policyTypes":["Egress"]}}`},
		{"autoscaling/v2", "HorizontalPodAutoscaler", "web", `{"spec":{"maxReplicas":9}}`},
		{"policy/v1", "PodDisruptionBudget", "web", `{"spec":{"maxUnavailable":1,"minAvailable":null}}`},
		{"batch/v1", "CronJob", "web", `{"metadata":{"annotations":{"moorgate.dev/readiness-score":"1"}}}`},
		{"v1", "ConfigMap", "settings", `{"metadata":{"annotations":{"moorgate.dev/readiness-score":"1"}}}`},
	} {
		u := &unstructured.Unstructured{}
		u.SetAPIVersion(one.version)
		u.SetKind(one.kind)
		u.SetNamespace(s.namespace)
		u.SetName(one.name)
		all = append(all, write{"patch a " + one.kind + ": " + one.body, patch(u, one.body, options...)})
	}
	return all
}

// forbidden is what neither judge nor webhook may ever do, whatever their rights.
func (s stage) forbidden() []write {
	alone := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "alone"}}
	web := aCase(s.namespace, "webhook-web-000000000000")
	return append(s.trials(), []write{
		{"scale a deployment", s.scale},
		{"patch the scale of a statefulset", func(ctx context.Context, h hand) error {
			_, err := h.kube.AppsV1().StatefulSets(s.namespace).Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{}, "scale")
			return err
		}},
		{"write the status of a deployment", patchStatus(s.workload("Deployment"), `{"status":{"observedGeneration":7}}`)},
		{"label a deployment", s.patch("Deployment", `{"metadata":{"labels":{"x":"y"}}}`)},
		{"change the replicas of a deployment", s.patch("Deployment", `{"spec":{"replicas":0}}`)},
		{"change the image of a statefulset", s.patch("StatefulSet", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"x"}]}}}}`)},
		{"restart a daemonset by an annotation on its template", s.patch("DaemonSet", `{"spec":{"template":{"metadata":{"annotations":{"moorgate.dev/restart":"1"}}}}}`)},
		{"set another annotation", s.patch("Deployment", `{"metadata":{"annotations":{"example.com/x":"y"}}}`)},
		{"set an annotation of a name that only looks like ours", s.patch("Deployment", `{"metadata":{"annotations":{"moorgate.dev.example.com/x":"y"}}}`)},
		{"change another annotation", s.patch("Deployment", `{"metadata":{"annotations":{"team.example/owner":"me"}}}`)},
		{"remove another annotation", s.patch("Deployment", `{"metadata":{"annotations":{"team.example/owner":null}}}`)},
		{"add a finalizer", s.patch("Deployment", `{"metadata":{"finalizers":["moorgate.dev/x"]}}`)},
		{"add an owner", s.patch("Deployment", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"settings","uid":"1"}]}}`)},
		{"hide a change of the spec behind our annotation", s.patch("Deployment", `{"metadata":{"annotations":{"moorgate.dev/readiness-score":"1"}},"spec":{"paused":true}}`)},
		{"create a secret", create(secret(s.namespace, "mine"))},
		{"change a secret", patch(secret(s.namespace, "password"), `{"stringData":{"password":"x"}}`)},
		{"see a secret in the answer of a dry run", patch(secret(s.namespace, "password"), `{"metadata":{"labels":{"x":"y"}}}`, client.DryRunAll)},
		{"delete a secret", remove(secret(s.namespace, "password"))},
		{"change a configmap", patch(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "settings"}}, `{"data":{"a":"b"}}`)},
		{"create a pod", create(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "mine"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}})},
		{"delete a deployment", remove(s.workload("Deployment"))},
		{"delete pods by the dozen", func(ctx context.Context, h hand) error {
			return h.client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(s.namespace))
		}},
		{"evict a pod", func(ctx context.Context, h hand) error {
			return h.kube.PolicyV1().Evictions(s.namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: alone.ObjectMeta})
		}},
		{"run a command in a pod", func(ctx context.Context, h hand) error {
			return h.kube.CoreV1().RESTClient().Post().Namespace(s.namespace).Resource("pods").Name("alone").SubResource("exec").Param("command", "id").Param("stdout", "true").Do(ctx).Error()
		}},
		{"attach to a pod", func(ctx context.Context, h hand) error {
			return h.kube.CoreV1().RESTClient().Post().Namespace(s.namespace).Resource("pods").Name("alone").SubResource("attach").Param("stdout", "true").Do(ctx).Error()
		}},
		{"reach through the API server to a pod", func(ctx context.Context, h hand) error {
			return h.kube.CoreV1().RESTClient().Get().Namespace(s.namespace).Resource("pods").Name("alone").SubResource("proxy").Do(ctx).Error()
		}},
		{"add a debug container", func(ctx context.Context, h hand) error {
			body, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []any{map[string]any{"name": "d", "image": "i"}}}})
			if err != nil {
				return err
			}
			_, err = h.kube.CoreV1().Pods(s.namespace).Patch(ctx, "alone", types.StrategicMergePatchType, body, metav1.PatchOptions{}, "ephemeralcontainers")
			return err
		}},
		{"bind a pod to a node", func(ctx context.Context, h hand) error {
			return h.kube.CoreV1().Pods(s.namespace).Bind(ctx, &corev1.Binding{ObjectMeta: alone.ObjectMeta, Target: corev1.ObjectReference{Kind: "Node", Name: "node-1"}}, metav1.CreateOptions{})
		}},
		{"take another account's token", func(ctx context.Context, h hand) error {
			_, err := h.kube.CoreV1().ServiceAccounts(system).CreateToken(ctx, "moorgate-act", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
			return err
		}},
		{"grant itself a role", create(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"}})},
		{"create a namespace", create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mine"}})},
		{"change a guardrail", patch(&v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "fences-test"}}, `{"spec":{"mode":"Automatic"}}`)},
		{"delete a guardrail", remove(&v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "fences-test"}})},
		{"point a gitsource elsewhere", patch(&v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop"}}, `{"spec":{"branch":"mine"}}`)},
		{"label a case", patch(web, `{"metadata":{"labels":{"x":"y"}}}`)},
		{"hold a case back from deletion", patch(web, `{"metadata":{"finalizers":["x/y"]}}`)},
		{"take a lease outside our namespace", create(lease(s.namespace, "moorgate-judge"))},
		{"take another's lease", create(lease(system, "moorgate-act"))},
	}...)
}

func (s stage) scale(ctx context.Context, h hand) error {
	_, err := h.kube.AppsV1().Deployments(s.namespace).UpdateScale(ctx, "web", &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web"}, Spec: autoscalingv1.ScaleSpec{Replicas: 5}}, metav1.UpdateOptions{})
	return err
}
