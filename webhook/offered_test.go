package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const bucketDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buckets.source.toolkit.fluxcd.io}
spec:
  group: source.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: Bucket, listKind: BucketList, plural: buckets, singular: bucket}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}`

// seeing is a manager under the webhook's identity, whose cache keeps what the webhook's does.
func seeing(t *testing.T) (*gatehouse, ctrl.Manager) {
	t.Helper()
	g := watchedGate(t)
	mgr, err := g.manager(t.Context(), t, "moorgate-webhook")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = mgr.Start(t.Context()) }()
	return g, mgr
}

// A kind that the cluster does not offer has no objects. Once it is offered, by whoever installs it later, they are seen, with nothing
// but the webhook's own rights, and without what nobody looks at.
func TestAnOptionalKindThatComesLaterIsSeen(t *testing.T) {
	g, mgr := seeing(t)
	offered := &Offered{Informers: mgr.GetCache(), Mapper: mgr.GetRESTMapper(), Logger: slog.New(slog.DiscardHandler)}
	world := World{Reader: mgr.GetCache(), Offered: offered}
	ns := g.c.Namespace(t, nil)
	key := client.ObjectKey{Namespace: ns, Name: "code"}
	if got := world.one(t.Context(), bucketKind, key); got.Why() == "" {
		t.Errorf("%v is known before anybody has looked", got)
	}
	offered.ask(t.Context(), bucketKind)
	if u, known := world.one(t.Context(), bucketKind, key).Get(); !known || u != nil {
		t.Errorf("a kind that is not offered: %v, known %t", u, known)
	}
	definition := parsed(t, bucketDefinition)
	if err := g.admin.Create(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.admin.Delete(context.Background(), definition) })
	bucket := parsed(t, "{apiVersion: source.toolkit.fluxcd.io/v1, kind: Bucket, spec: {suspend: true, endpoint: hunter2}}")
	bucket.SetNamespace(ns)
	bucket.SetName("code")
	eventually(t, "the Bucket is made", func() error { return client.IgnoreAlreadyExists(g.admin.Create(t.Context(), bucket)) })
	eventually(t, "the Bucket is seen", func() error {
		offered.ask(t.Context(), bucketKind)
		fact := world.one(t.Context(), bucketKind, key)
		u, known := fact.Get()
		if !known || u == nil {
			return fmt.Errorf("%v", fact)
		}
		if text := fmt.Sprint(u.Object); !strings.Contains(text, "suspend:true") || strings.Contains(text, "hunter2") {
			t.Errorf("the cache holds %s", text)
		}
		return nil
	})
}

// The webhook's cache holds the names of the keys that kubectl and the API server made, as they change, and never a value.
func TestACacheFollowsTheKeysOfConfigMaps(t *testing.T) {
	g, mgr := seeing(t)
	ns := g.c.Namespace(t, nil)
	m := settings(0)
	m.ObjectMeta = metav1.ObjectMeta{Namespace: ns, Name: "settings", Annotations: m.Annotations}
	if err := g.admin.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	holds := func(want ...string) func() error {
		return func() error {
			var kept corev1.ConfigMap
			if err := mgr.GetCache().Get(t.Context(), client.ObjectKeyFromObject(m), &kept); err != nil {
				return err
			}
			if strings.Contains(fmt.Sprint(kept), "hunter2") {
				t.Errorf("the cache holds %v", kept)
			}
			if got := slices.Sorted(maps.Keys(kept.Data)); !slices.Equal(got, want) {
				return errors.New("keys " + strings.Join(got, ", "))
			}
			return nil
		}
	}
	eventually(t, "all keys are there", holds("key-0", "key-1", "key-2", "key-3", "logo.png"))
	delete(m.Data, "key-1")
	m.BinaryData = nil
	if err := g.admin.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually(t, "those that went are gone", holds("key-0", "key-2", "key-3"))
}
