package certs_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/certs"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Main(m)) }

var ownSecret = types.NamespacedName{Namespace: "moorgate-system", Name: "moorgate-webhook-certificate"}

// secretStore is a Store with the rights that the chart gives the webhook, and no others.
func secretStore(t *testing.T) (*certs.Secret, kubernetes.Interface) {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := c.ServiceAccount(t.Context(), ownSecret.Namespace, "moorgate-webhook")
	if err != nil {
		t.Fatal(err)
	}
	store, err := certs.NewSecret(config, ownSecret)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return store, admin
}

func authority(store certs.Store) *certs.Authority {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return &certs.Authority{Store: store, DNSNames: []string{"moorgate-webhook.moorgate-system.svc"}, Now: func() time.Time { return now }}
}

func TestSecretIsSharedByReplicas(t *testing.T) {
	store, admin := secretStore(t)
	for range 5 {
		empty(t, admin)
		replicas := []*certs.Authority{authority(store), authority(store), authority(store)}
		var all sync.WaitGroup
		for _, a := range replicas {
			all.Go(func() {
				if _, err := a.Ensure(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, a := range replicas[1:] {
			if string(a.CABundle()) != string(replicas[0].CABundle()) {
				t.Error("two replicas trust different roots")
			}
		}
	}
}

func empty(t *testing.T, admin kubernetes.Interface) {
	t.Helper()
	secrets := admin.CoreV1().Secrets(ownSecret.Namespace)
	if _, err := secrets.Patch(t.Context(), ownSecret.Name, types.MergePatchType, []byte(`{"data":null}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestSecretKeepsWhatIsNotItsOwn(t *testing.T) {
	store, admin := secretStore(t)
	empty(t, admin)
	secrets := admin.CoreV1().Secrets(ownSecret.Namespace)
	if _, err := secrets.Patch(t.Context(), ownSecret.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"theirs":"x"}},"data":{"note":"eA=="}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	a := authority(store)
	if _, err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := secrets.Get(t.Context(), ownSecret.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Labels["theirs"] != "x" || string(got.Data["note"]) != "x" || len(got.Data) != 5 {
		t.Errorf("labels %v and %d files", got.Labels, len(got.Data))
	}
}

func TestSecretComparesVersions(t *testing.T) {
	store, admin := secretStore(t)
	empty(t, admin)
	_, version, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"ca.crt": []byte("x")}
	if err := store.Save(t.Context(), files, version); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), files, version); !errors.Is(err, certs.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestSecretThatWasCorruptedIsHealed(t *testing.T) {
	store, admin := secretStore(t)
	empty(t, admin)
	a := authority(store)
	if _, err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := string(a.CABundle())
	spoil := []byte(`{"data":{"ca.crt":"eA==","ca.key":"eA==","tls.crt":"eA==","tls.key":"eA=="}}`)
	if _, err := admin.CoreV1().Secrets(ownSecret.Namespace).Patch(t.Context(), ownSecret.Name, types.MergePatchType, spoil, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	b, err := a.Ensure(t.Context())
	if err != nil || len(b.Renewed) == 0 {
		t.Errorf("got %v and %q", err, b.Renewed)
	}
	if another := authority(store); string(a.CABundle()) != before {
		t.Error("the roots that clients trust were thrown away")
	} else if _, err := another.Ensure(t.Context()); err != nil || string(another.CABundle()) != before {
		t.Errorf("another replica reads something else: %v", err)
	}
}

func TestSecretThatIsMissingSaysWhoMakesIt(t *testing.T) {
	c := testcluster.Shared(t)
	store, err := certs.NewSecret(c.Config(), types.NamespacedName{Namespace: "default", Name: "absent"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = authority(store).Ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "Secret default/absent, which the installation creates") {
		t.Errorf("got %v", err)
	}
}
