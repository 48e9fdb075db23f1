package cluster_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// A Guardrail that was stored before the fields of acting existed means what the schema's defaults say: the API server fills
// them in when it reads one, stored or watched.
func TestAGuardrailOfAnEarlierVersionIsReadWithDefaults(t *testing.T) {
	c := testcluster.Shared(t)
	k, err := client.New(c.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now, before := definition(t), definition(t)
	spec := []string{"schema", "openAPIV3Schema", "properties", "spec", "properties"}
	versions, _, _ := unstructured.NestedSlice(before.Object, "spec", "versions")
	for _, later := range [][]string{{"actions"}, {"budgets"}, {"restraint"}, {"approval"}, {"freeze"}, {"thresholds", "properties", "agreementBelow"}, {"thresholds", "properties", "historyBelow"}} {
		unstructured.RemoveNestedField(versions[0].(map[string]any), append(spec[:len(spec):len(spec)], later...)...)
	}
	if err := unstructured.SetNestedSlice(before.Object, versions, "spec", "versions"); err != nil {
		t.Fatal(err)
	}
	if err := k.Create(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Delete(context.WithoutCancel(t.Context()), before) })
	old := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"mode": "Propose"}}}
	old.SetGroupVersionKind(schema.GroupVersionKind{Group: "earlier.moorgate.dev", Version: "v1alpha1", Kind: "Guardrail"})
	old.SetName("old")
	poll(t, "the earlier kind is served", func(ctx context.Context) (bool, error) {
		err := k.Create(ctx, old)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if _, err := cluster.ParseGuardrail(old); err != nil || old.Object["spec"].(map[string]any)["budgets"] != nil {
		t.Fatalf("the earlier version stores %v (%v)", old.Object["spec"], err)
	}
	now.SetResourceVersion(before.GetResourceVersion())
	if err := k.Patch(t.Context(), now, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	poll(t, "an old Guardrail is read with defaults", func(ctx context.Context) (bool, error) {
		err := k.Get(ctx, client.ObjectKeyFromObject(old), old)
		return old.Object["spec"].(map[string]any)["budgets"] != nil, err
	})
	got, want := cluster.Compose([]unstructured.Unstructured{*old}, nil, noon()), cluster.Default()
	want.Rails[0].Name, want.Rails[0].Mode = "old", gate.Propose
	if got.Digest() != want.Digest() {
		t.Errorf("read as %+v\nwant %+v", got, want)
	}
}

// definition is the definition of Guardrails under a group of its own.
func definition(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	objects, err := cluster.Manifests(charts.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range objects {
		if u.GetKind() == "CustomResourceDefinition" && strings.HasPrefix(u.GetName(), "guardrails.") {
			u.SetName("guardrails.earlier.moorgate.dev")
			if err := unstructured.SetNestedField(u.Object, "earlier.moorgate.dev", "spec", "group"); err != nil {
				t.Fatal(err)
			}
			return u
		}
	}
	t.Fatal("there is no definition of Guardrails")
	return nil
}

func poll(t *testing.T, what string, met func(ctx context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, met); err != nil {
		t.Fatalf("wait until %s: %v", what, err)
	}
}

// No schema can say what a schedule is. A Guardrail with one that makes no sense is stored, says so, and holds.
func TestAGuardrailWithAScheduleThatMakesNoSenseSaysSo(t *testing.T) {
	k, namespace := admin(t)
	g := &v1alpha1.Guardrail{Spec: v1alpha1.GuardrailSpec{
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(namespace)}},
		Freeze:            []v1alpha1.FreezeWindow{{Reason: "nights", Schedule: "at nightfall", Duration: "8h"}}}}
	g.Name = "nightfall"
	if err := k.Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Delete(context.WithoutCancel(t.Context()), g) })
	if _, err := (cluster.GuardrailStatus{Client: k, Now: noon}).Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(g)}); err != nil {
		t.Fatal(err)
	}
	if err := k.Get(t.Context(), client.ObjectKeyFromObject(g), g); err != nil {
		t.Fatal(err)
	}
	ready := meta.FindStatusCondition(g.Status.Conditions, "Ready")
	if ready == nil || ready.Status != "False" || !strings.Contains(ready.Message, `freeze[0]: schedule "at nightfall"`) {
		t.Errorf("conditions %+v", g.Status.Conditions)
	}
	v := gate.Decide(policy(t, namespace), sure, gate.Facts{})
	if v.Decision == gate.Allow || !slices.ContainsFunc(v.Reasons, func(r gate.Reason) bool {
		return r.Guardrail == "nightfall" && r.Rule == "readable" && strings.Contains(r.Text, "at nightfall")
	}) {
		t.Errorf("verdict %+v", v)
	}
}

var sure = gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(100), Agreement: gate.Known(100), Choice: []string{"evict"}}

func policy(t *testing.T, namespace string) gate.Policy {
	t.Helper()
	k, err := client.New(testcluster.Shared(t).Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := cluster.Guardrails{Reader: k, Now: noon}.Policy(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Who cannot read the Guardrails cannot know whether one of them is paused: it has no policy at all, and that permits nothing.
func TestGuardrailsThatCannotBeReadAreAsGoodAsPaused(t *testing.T) {
	_, namespace := admin(t)
	config := *testcluster.Shared(t).Config()
	config.Impersonate.UserName = "nobody"
	blind, err := client.New(&config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := cluster.Guardrails{Reader: blind, Now: noon}.Policy(t.Context(), namespace)
	if !apierrors.IsForbidden(err) {
		t.Errorf("got %v", err)
	}
	v := gate.Decide(p, sure, gate.Facts{Paused: gate.Known[[]string](nil)})
	if _, permitted := v.Permit(); v.Decision != gate.Deny || permitted {
		t.Errorf("verdict %+v", v)
	}
}
