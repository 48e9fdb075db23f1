package remediate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func TestARolloutIsLeftAloneWhereSomethingStirs(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	wrote := func(manager, subresource string, ago time.Duration) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, Time: &metav1.Time{Time: now.Add(-ago)}}
	}
	for name, c := range map[string]struct {
		change func(u *unstructured.Unstructured)
		says   string // empty: it stands still
	}{
		"nobody wrote it lately": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{wrote("kubectl-client-side-apply", "", 15*time.Minute)})
		}, ""},
		"somebody did": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{wrote("kubectl-edit", "", 14*time.Minute)})
		}, "kubectl-edit wrote it"},
		"nobody knows when": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "someone"}})
		}, "someone wrote it"},
		"somebody whose clock is ahead": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{wrote("kubectl-edit", "", -time.Hour)})
		}, "kubectl-edit wrote it"},
		"its controller wrote its status, and somebody a size": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{wrote("kube-controller-manager", "status", 0), {Manager: "kubectl", Subresource: "scale"}})
		}, ""},
		"we did": {func(u *unstructured.Unstructured) {
			u.SetManagedFields([]metav1.ManagedFieldsEntry{wrote("moorgate", "", 0)})
		}, ""},
		"its controller has not seen it yet":      {func(u *unstructured.Unstructured) { u.SetGeneration(4) }, "has not seen"},
		"its controller has said nothing at all":  {func(u *unstructured.Unstructured) { delete(u.Object, "status") }, "has not seen"},
		"somebody has paused it":                  {func(u *unstructured.Unstructured) { u.Object["spec"] = map[string]any{"paused": true} }, "paused"},
		"it is on its way out, whatever holds it": {func(u *unstructured.Unstructured) { u.SetDeletionTimestamp(&metav1.Time{Time: now}) }, "on its way out"},
	} {
		r := rollout{object: unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"observedGeneration": int64(3)}}}}
		r.object.SetGeneration(3)
		c.change(&r.object)
		if got := r.astir(now, handsOff); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: it says %q, want %q", name, got, c.says)
		}
	}
}

func TestWhatTakesAHumanToGoBackTo(t *testing.T) {
	for name, c := range map[string]struct {
		was, is corev1.PodSpec
		human   bool
	}{
		"the same":                              {corev1.PodSpec{ServiceAccountName: "web", HostNetwork: true}, corev1.PodSpec{ServiceAccountName: "web", HostNetwork: true}, false},
		"another service account":               {corev1.PodSpec{ServiceAccountName: "web"}, corev1.PodSpec{ServiceAccountName: "admin"}, true},
		"the node's network":                    {corev1.PodSpec{}, corev1.PodSpec{HostNetwork: true}, true},
		"the node's processes":                  {corev1.PodSpec{}, corev1.PodSpec{HostPID: true}, true},
		"the node's shared memory":              {corev1.PodSpec{}, corev1.PodSpec{HostIPC: true}, true},
		"the node's network is not needed then": {corev1.PodSpec{HostNetwork: true}, corev1.PodSpec{}, false},
	} {
		if why := outgrows(&corev1.PodTemplateSpec{Spec: c.was}, &corev1.PodTemplateSpec{Spec: c.is}); (why != "") != c.human {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// sizers answers a list of VerticalPodAutoscalers.
type sizers struct {
	client.Reader
	items []unstructured.Unstructured
	err   error
}

func (s sizers) List(_ context.Context, l client.ObjectList, _ ...client.ListOption) error {
	if list, ok := l.(*unstructured.UnstructuredList); ok {
		list.Items = s.items
	}
	return s.err
}

func TestWhoSizesAWorkload(t *testing.T) {
	vpa := func(kind, name, mode string) unstructured.Unstructured {
		return unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "v"}, "spec": map[string]any{
			"targetRef": map[string]any{"kind": kind, "name": name}, "updatePolicy": map[string]any{"updateMode": mode}}}}
	}
	kind := schema.GroupKind{Group: "autoscaling.k8s.io", Kind: "VerticalPodAutoscaler"}
	resource := schema.GroupResource{Group: kind.Group, Resource: "verticalpodautoscalers"}
	for name, c := range map[string]struct {
		sizers  sizers
		want    string
		unknown bool
		fails   bool
	}{
		"one that sets":                  {sizers: sizers{items: []unstructured.Unstructured{vpa("Deployment", "web", "Auto")}}, want: "VerticalPodAutoscaler/v"},
		"one that does not say":          {sizers: sizers{items: []unstructured.Unstructured{vpa("Deployment", "web", "")}}, want: "VerticalPodAutoscaler/v"},
		"one that only recommends":       {sizers: sizers{items: []unstructured.Unstructured{vpa("Deployment", "web", "Off")}}},
		"one of another workload":        {sizers: sizers{items: []unstructured.Unstructured{vpa("Deployment", "api", "Auto"), vpa("StatefulSet", "web", "Auto")}}},
		"a cluster that knows none":      {sizers: sizers{err: &meta.NoKindMatchError{GroupKind: kind}}},
		"a kind that was taken away":     {sizers: sizers{err: apierrors.NewNotFound(resource, "")}},
		"they may not be read":           {sizers: sizers{err: apierrors.NewForbidden(resource, "", nil)}, unknown: true},
		"they cannot be read this time":  {sizers: sizers{err: errors.New("etcdserver: request timed out")}, fails: true},
		"a spec that makes no sense":     {sizers: sizers{items: []unstructured.Unstructured{{Object: map[string]any{"spec": "x"}}}}},
		"a target reference of nonsense": {sizers: sizers{items: []unstructured.Unstructured{{Object: map[string]any{"spec": map[string]any{"targetRef": 7}}}}}},
	} {
		w := causes.World{Symptom: causes.CrashLoop, Root: gate.Ref{Group: "apps", Kind: "Deployment", Name: "web"}, Pods: pods(causes.Looping), Earlier: gate.Known(&causes.Earlier{Available: 1})}
		err := eye{owners: c.sizers}.sizer(t.Context(), &w)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
		if got, known := w.Sizer.Get(); err == nil && (known == c.unknown || got != c.want) {
			t.Errorf("%s: %q, known %t", name, got, known)
		}
		if owner, known := ownerOf(causes.World{Source: gate.Known(""), Sizer: w.Sizer}).Get(); err == nil && (known == c.unknown || owner.Sizer != c.want) {
			t.Errorf("%s: the owner is %+v, known %t", name, owner, known)
		}
	}
	var idle causes.World
	if err := (eye{owners: sizers{err: errors.New("asked for nothing")}}).sizer(t.Context(), &idle); err != nil {
		t.Errorf("what may not be changed was asked about: %v", err)
	}
}
