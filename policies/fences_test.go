package policies

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

const system = "moorgate-system"

// hand is one identity's way to the API server.
type hand struct {
	kube   kubernetes.Interface
	client client.Client
}

// write is one request and what should come of it.
type write struct {
	name string
	do   func(ctx context.Context, h hand) error
}

// stage is an installed cluster with something in it to write to, and the hands that try.
type stage struct {
	cluster   *testcluster.Cluster
	namespace string
	admin     hand
}

func newStage(t *testing.T) stage {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	s := stage{cluster: c, namespace: c.Namespace(t, nil), admin: handOf(t, c.Config())}
	for _, obj := range s.furniture() {
		if err := s.admin.client.Create(t.Context(), obj); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		if obj.GetNamespace() == "" {
			t.Cleanup(func() { _ = s.admin.client.Delete(context.WithoutCancel(t.Context()), obj) })
		}
	}
	return s
}

func handOf(t *testing.T, config *rest.Config) hand {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return hand{kube: kube, client: c}
}

// as is the hand of one of Moorgate's ServiceAccounts, with the rights that the chart gives it.
func (s stage) as(t *testing.T, account string) hand {
	t.Helper()
	config, err := s.cluster.ServiceAccount(t.Context(), system, account)
	if err != nil {
		t.Fatal(err)
	}
	return handOf(t, config)
}

// unbound gives an account every right there is until the test ends, so that only the fences are left to refuse.
func (s stage) unbound(t *testing.T, account string) hand {
	t.Helper()
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "test-everything-" + account},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: system, Name: account}}}
	if err := s.admin.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.admin.client.Delete(context.WithoutCancel(t.Context()), binding); err != nil {
			t.Error(err)
		}
	})
	h := s.as(t, account)
	waitForEverything(t, h, "")
	return h
}

// furniture is what the writes are aimed at.
func (s stage) furniture() []client.Object {
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: s.namespace, Name: name, Annotations: map[string]string{"team.example/owner": "shop"}}
	}
	labels := map[string]string{"app": "web"}
	pod := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "registry.invalid/web:1"}}}}
	selector, one := &metav1.LabelSelector{MatchLabels: labels}, int32(1)
	once := *pod.DeepCopy()
	once.Spec.RestartPolicy = corev1.RestartPolicyNever
	return []client.Object{
		&appsv1.Deployment{ObjectMeta: meta("web"), Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: selector, Template: pod}},
		&appsv1.StatefulSet{ObjectMeta: meta("web"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32), Selector: selector, Template: pod, ServiceName: "web"}},
		&appsv1.DaemonSet{ObjectMeta: meta("web"), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: pod}},
		&corev1.Pod{ObjectMeta: meta("alone"), Spec: pod.Spec},
		&corev1.Secret{ObjectMeta: meta("password"), StringData: map[string]string{"password": "hunter2"}},
		&corev1.ConfigMap{ObjectMeta: meta("settings")},
		&batchv1.CronJob{ObjectMeta: meta("web"), Spec: batchv1.CronJobSpec{Schedule: "@daily", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: once}}}},
		&corev1.Service{ObjectMeta: meta("web"), Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}}},
		&networkingv1.Ingress{ObjectMeta: meta("web"), Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}}},
		&networkingv1.NetworkPolicy{ObjectMeta: meta("web")},
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta("web"), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 3,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "gone"}}},
		&policyv1.PodDisruptionBudget{ObjectMeta: meta("web"), Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector}},
		aCase(s.namespace, "webhook-web-000000000000"), faced(aCase(s.namespace, "drift-web-999999999999"), "drift"),
		&v1alpha1.GitSource{ObjectMeta: meta("shop"), Spec: v1alpha1.GitSourceSpec{URL: "https://git.invalid/shop"}},
		&v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "fences-test"}},
		registration("theirs"),
	}
}

func aCase(namespace, name string) *v1alpha1.Case {
	return &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: "webhook", Reason: "Rollout", Key: name, FirstSeen: metav1.Unix(1, 0)},
			Subject: v1alpha1.Subject{Kind: "Deployment", Name: "web"}}}
}

// allowed fails for every write that does not go through.
func allowed(t *testing.T, h hand, writes []write) {
	t.Helper()
	for _, w := range writes {
		t.Run(w.name, func(t *testing.T) {
			if err := w.do(t.Context(), h); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// refused fails for every write that goes through, and for every refusal that does not come from one of the fences.
func refused(t *testing.T, h hand, writes []write, fences ...string) {
	t.Helper()
	for _, w := range writes {
		t.Run(w.name, func(t *testing.T) {
			err := w.do(t.Context(), h)
			if err == nil {
				t.Fatal("it went through")
			}
			if !apierrors.IsForbidden(err) {
				t.Errorf("refused, but not as forbidden: %v", err)
			}
			for _, fence := range fences {
				if strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+fence+"'") {
					return
				}
			}
			t.Errorf("not refused by a fence: %v", err)
		})
	}
}

// waitForEverything waits until a fresh binding has reached the authorizer: until h may do everything in a namespace, or, where
// that is empty, in the cluster.
func waitForEverything(t *testing.T, h hand, namespace string) {
	t.Helper()
	everything := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "*", Group: "*", Resource: "*"}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		answer, err := h.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, everything, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	}); err != nil {
		t.Fatalf("wait for the right to everything in %q: %v", namespace, err)
	}
}
