package webhook

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reading is a client that reads from a shelf and does nothing else.
type reading struct {
	client.Client
	shelf *shelf
}

func (r reading) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	return r.shelf.Get(ctx, key, into, opts...)
}

// The API server stamps in whole seconds: what came in within the second of the registration may have come after it.
func TestWhatIsOlderThanTheGateDidNotSlipThrough(t *testing.T) {
	s := &shelf{scheme: testScheme(t), objects: []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}}}
	a := &Annotator{Keeper: Keeper{Client: reading{shelf: s}},
		Gate: func(context.Context) (Gate, error) { return Gate{Since: noon, Namespaces: labels.Everything()}, nil }}
	for name, tt := range map[string]struct {
		born    time.Time
		changed bool
		watched bool
	}{
		"a second after the gate":               {noon.Add(time.Second), false, true},
		"within the same second":                {noon, false, true},
		"a second before":                       {noon.Add(-time.Second), false, false},
		"a second before, and judged otherwise": {noon.Add(-time.Second), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			if watched, err := a.watched(t.Context(), "shop", tt.born, tt.changed); watched != tt.watched || err != nil {
				t.Errorf("%v, %v", watched, err)
			}
		})
	}
}
