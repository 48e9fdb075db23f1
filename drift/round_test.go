package drift

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
)

// stuck is an API server that never answers to a read of one object, and has no Cases.
type stuck struct{ client.Client }

func (stuck) Get(ctx context.Context, _ client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	<-ctx.Done()
	return ctx.Err()
}

func (stuck) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

func TestARoundEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Detector{Client: stuck{}, Now: time.Now}
		u := &unstructured.Unstructured{Object: map[string]any{}}
		objects := []folded{fold(source.Object{Name: source.Name{Name: "a"}, Desired: u}), fold(source.Object{Name: source.Name{Name: "b"}, Desired: u})}
		began := time.Now()
		r, err := d.round(t.Context(), client.ObjectKey{}, tree{objects: objects})
		if err != nil || time.Since(began) != roundTime {
			t.Fatalf("it took %s: %v", time.Since(began), err)
		}
		if got := r.err(); got == nil || !strings.Contains(got.Error(), "2 of 2 objects were not compared within 5m0s") || len(r.unread) != 2 {
			t.Errorf("got %v, unread %v", got, r.unread)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.round(ended, client.ObjectKey{}, tree{objects: objects}); err == nil {
			t.Error("a round that was broken off counts")
		}
	})
}
