package webhook

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/webhook/checks"
)

func TestWhatTheFilesBringAlongIsAsGoodAsThere(t *testing.T) {
	changed := &policyv1.PodDisruptionBudget{ObjectMeta: inShop("budget")}
	changed.Spec.Selector = &metav1.LabelSelector{}
	files, err := NewFiles("shop", &corev1.Secret{ObjectMeta: inShop("db")}, changed, &policyv1.PodDisruptionBudget{ObjectMeta: inShop("new")},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast", Annotations: map[string]string{defaultClass: "true"}}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "conf"}})
	if err != nil {
		t.Fatal(err)
	}
	live := &policyv1.PodDisruptionBudget{ObjectMeta: inShop("budget"), Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: 7}}
	r, _, _, err := clusterOf(t, live).world().Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	files.Complete(&r)
	secret, _ := r.World.Secrets["db"].Get()
	class, _ := r.World.StorageClasses[""].Get()
	config, _ := r.World.ConfigMaps["conf"].Get()
	if !secret || !class || config {
		t.Errorf("Secret %v, default class %v, another namespace's ConfigMap %v; want true, true, false", secret, class, config)
	}
	budgets, _ := r.World.Budgets.Get()
	if len(budgets) != 2 || budgets[0].Spec.Selector == nil || budgets[0].Status.ExpectedPods != 7 {
		t.Errorf("budgets %+v, want the changed one with its live status, and the new one", budgets)
	}
	nothing := checks.Rollout{New: r.New}
	files.Complete(&nothing)
	if _, known := nothing.World.Budgets.Get(); known {
		t.Error("some budgets were taken for all")
	}
}
