package webhook

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func offlineWorld(t *testing.T, objects ...client.Object) World {
	t.Helper()
	files, err := NewFiles("shop", objects...)
	if err != nil {
		t.Fatal(err)
	}
	return World{Reader: files, Secrets: files}
}

func TestOfflineNothingIsEverMissing(t *testing.T) {
	r, seen, unread, err := offlineWorld(t).Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"Secret/db", "ConfigMap/conf", "ServiceAccount/robot", "PersistentVolumeClaim/disk", "StorageClass/",
		"ResourceQuotas", "LimitRanges", "PodDisruptionBudgets", "Nodes", "Pods"} {
		if !slices.Contains(unread, source) {
			t.Errorf("unread %v, want %s among them", unread, source)
		}
	}
	for _, e := range seen[1:] {
		if !strings.Contains(e.Unread, "unknown offline") {
			t.Errorf("evidence %+v", e)
		}
	}
	for _, f := range checks.Assess(r, nil).Findings {
		if f.Nature != gate.Lasting {
			t.Errorf("found %q though nothing is known of the cluster", f.Text)
		}
	}
}

func TestWhatIsInTheFilesIsThere(t *testing.T) {
	conf := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "conf"}}}
	custom := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": map[string]any{"name": "x"}}}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "compute"}}
	r, _, _, err := offlineWorld(t, conf, custom, quota, &corev1.Secret{ObjectMeta: inShop("db")}).Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := r.World.Secrets["db"].Get()
	config, _ := r.World.ConfigMaps["conf"].Get()
	quotas, _ := r.World.Quotas.Get()
	if !secret || !config || len(quotas) != 1 {
		t.Errorf("Secret %v ConfigMap %v quotas %v", secret, config, quotas)
	}
}

func TestASecretOfAnotherNamespaceIsNotThisOne(t *testing.T) {
	w := offlineWorld(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "db"}})
	if _, known := w.Secrets.Exists("shop", "db").Get(); known {
		t.Error("a Secret of another namespace counts")
	}
}

func TestFilesThatMakeNoSenseAreRefused(t *testing.T) {
	bad := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"}, "data": "text"}}
	if _, err := NewFiles("shop", bad); err == nil {
		t.Error("a ConfigMap whose data is a string is none")
	}
}

func TestOfflineADefaultClassMayBeInTheCluster(t *testing.T) {
	plain := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": map[string]any{"name": "slow"}, "provisioner": "x"}}
	r, _, _, err := offlineWorld(t, plain).Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, known := r.World.StorageClasses[""].Get(); known {
		t.Error("the files say nothing of a default class, and yet it is known")
	}
}
