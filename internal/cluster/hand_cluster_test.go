package cluster

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// field is a namespace of a real cluster, with a hand in it that has every right, so that only the guard is left to refuse.
type field struct {
	namespace string
	admin     kubernetes.Interface
	guarded   *rest.Config
	hand      *Hand
}

func newField(t *testing.T) field {
	t.Helper()
	c := testcluster.Shared(t)
	admin, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	f := field{namespace: c.Namespace(t, nil), admin: admin, guarded: Guarded(c.Config(), OwnOfAct())}
	if f.hand, err = NewHand(f.guarded); err != nil {
		t.Fatal(err)
	}
	return f
}

// pod is a pod that runs, as a target.
func (f field) pod(t *testing.T, name string) gate.Ref {
	t.Helper()
	pods := f.admin.CoreV1().Pods(f.namespace)
	made, err := pods.Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: new(int64), Containers: []corev1.Container{{Name: "web", Image: "registry.invalid/web:1"}}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f.until(t, name+" runs", func() bool {
		p, err := pods.Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && p.Status.Phase == corev1.PodRunning
	})
	return gate.Ref{Version: "v1", Kind: "Pod", Namespace: f.namespace, Name: name, UID: string(made.UID)}
}

func (f field) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// there reports whether a pod with this UID is there and not on its way out.
func (f field) there(t *testing.T, pod gate.Ref) bool {
	t.Helper()
	p, err := f.admin.CoreV1().Pods(f.namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil && string(p.UID) == pod.UID && p.DeletionTimestamp == nil
}

func TestEvictingOnARealAPIServer(t *testing.T) {
	f := newField(t)
	act := func(t *testing.T, pod gate.Ref) (gate.Outcome, error) {
		plan := evicting(t, pod)
		return f.hand.Act(t.Context(), permit(t, plan), plan)
	}
	t.Run("the pod goes", func(t *testing.T) {
		pod := f.pod(t, "goes")
		if outcome, err := act(t, pod); outcome != gate.OutcomeDone || err != nil {
			t.Fatalf("%s, %v", outcome, err)
		}
		f.until(t, "it is gone", func() bool { return !f.there(t, pod) })
		f.until(t, "there is nothing left to do", func() bool {
			outcome, err := act(t, pod)
			return outcome == gate.OutcomeNothing && err == nil
		})
	})
	t.Run("another pod of its name stays", func(t *testing.T) {
		pod := f.pod(t, "stays")
		old := pod
		old.UID = "00000000-0000-0000-0000-000000000000"
		if outcome, err := act(t, old); outcome != gate.OutcomeRefused || err == nil || !strings.Contains(err.Error(), "UID") {
			t.Errorf("%s, %v", outcome, err)
		}
		if !f.there(t, pod) {
			t.Error("it is gone")
		}
	})
	t.Run("a disruption budget holds", func(t *testing.T) {
		pod := f.pod(t, "guarded")
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "all"}, Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: new(intstr.FromString("100%")), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}
		if _, err := f.admin.PolicyV1().PodDisruptionBudgets(f.namespace).Create(t.Context(), budget, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if outcome, err := act(t, pod); outcome != gate.OutcomeRefused || err == nil || !strings.Contains(err.Error(), "429") {
			t.Errorf("%s, %v", outcome, err)
		}
		if !f.there(t, pod) {
			t.Error("it is gone")
		}
	})
}

func TestAnnotatingOnARealAPIServer(t *testing.T) {
	f := newField(t)
	labels := map[string]string{"app": "api"}
	deployments := f.admin.AppsV1().Deployments(f.namespace)
	made, err := deployments.Create(t.Context(), &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "api", Annotations: map[string]string{"team.example/owner": "shop"}},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "api", Image: "registry.invalid/api:1"}}}}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ref := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: f.namespace, Name: "api", UID: string(made.UID)}
	act := func(t *testing.T, ref gate.Ref, score string) (gate.Outcome, error) {
		plan := marking(t, ref, score)
		return f.hand.Act(t.Context(), permit(t, plan), plan)
	}
	if outcome, err := act(t, ref, "80<&\u2028"); outcome != gate.OutcomeDone || err != nil {
		t.Fatalf("%s, %v", outcome, err)
	}
	now, err := deployments.Get(t.Context(), "api", metav1.GetOptions{})
	if err != nil || now.Annotations["moorgate.dev/readiness-score"] != "80<&\u2028" || now.Annotations["team.example/owner"] != "shop" || !equality.Semantic.DeepEqual(now.Spec, made.Spec) {
		t.Errorf("%v %v", now.Annotations, err)
	}
	for name, spoil := range map[string]func(*gate.Ref){
		"another of its name": func(r *gate.Ref) { r.UID = "00000000-0000-0000-0000-000000000000" },
		"one that is gone":    func(r *gate.Ref) { r.Name = "gone" },
	} {
		t.Run(name, func(t *testing.T) {
			other := ref
			spoil(&other)
			if outcome, err := act(t, other, "1"); outcome != gate.OutcomeRefused || err == nil {
				t.Errorf("%s, %v", outcome, err)
			}
		})
	}
}

// Whoever makes a client of a guarded config, of whatever kind, changes nothing by it.
func TestNoClientOfAGuardedConfigWrites(t *testing.T) {
	f := newField(t)
	pod := f.pod(t, "alone")
	kube, err := kubernetes.NewForConfig(f.guarded)
	if err != nil {
		t.Fatal(err)
	}
	ctx, pods := t.Context(), kube.CoreV1().Pods(f.namespace)
	for name, write := range map[string]func() error{
		"evict": func() error {
			return kube.PolicyV1().Evictions(f.namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "alone"}})
		},
		"delete":       func() error { return pods.Delete(ctx, "alone", metav1.DeleteOptions{}) },
		"delete dryly": func() error { return pods.Delete(ctx, "alone", metav1.DeleteOptions{DryRun: []string{"All"}}) },
		"delete all": func() error {
			return pods.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		},
		"patch": func() error {
			_, err := pods.Patch(ctx, "alone", types.MergePatchType, []byte(`{"metadata":{"labels":{"x":"y"}}}`), metav1.PatchOptions{})
			return err
		},
		"create": func() error {
			_, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "mine"}}, metav1.CreateOptions{})
			return err
		},
		"take a token": func() error {
			return kube.CoreV1().RESTClient().Post().AbsPath("/api/v1/namespaces", f.namespace, "serviceaccounts/default/token").Body([]byte("{}")).Do(ctx).Error()
		},
		"run a command": func() error {
			return kube.CoreV1().RESTClient().Verb(http.MethodGet).AbsPath("/api/v1/namespaces", f.namespace, "pods/alone/exec").Do(ctx).Error()
		},
	} {
		if err := write(); !errors.Is(err, ErrNoPermit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pods.List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("a read: %v", err)
	}
	if !f.there(t, pod) {
		t.Error("the pod is gone")
	}
}
