package webhook

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// creating is a client whose only answer is that of its func.
type creating struct {
	client.Client
	answer func(try int) error

	mu    sync.Mutex
	tries int
}

func (c *creating) Create(context.Context, client.Object, ...client.CreateOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	return c.answer(c.tries)
}

func TestQueueTriesAFewTimesAndNeverStorms(t *testing.T) {
	cases := schema.GroupResource{Group: "moorgate.dev", Resource: "cases"}
	for name, tt := range map[string]struct {
		answer func(try int) error
		tries  int
	}{
		"it works":                        {func(int) error { return nil }, 1},
		"it exists: the same happening":   {func(int) error { return apierrors.NewAlreadyExists(cases, "x") }, 1},
		"the namespace is gone":           {func(int) error { return apierrors.NewNotFound(cases, "x") }, 1},
		"the namespace is being deleted":  {func(int) error { return apierrors.NewForbidden(cases, "x", errors.New("is being terminated")) }, 1},
		"the API server is away a moment": {func(try int) error { return map[bool]error{true: errors.New("refused")}[try < 3] }, 3},
		"the API server is away":          {func(int) error { return errors.New("refused") }, openTries},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &creating{answer: tt.answer}
				q := NewQueue(cluster.Cases{Client: c, Now: at(noon)}, 4, quiet())
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- q.Start(ctx) }()
				q.Offer(Opening{Signal: gate.Signal{Face: gate.FaceWebhook, Subject: gate.Ref{Namespace: "shop", Name: "web"}}})
				synctest.Wait()
				for len(q.opened) > 0 || c.tried() < tt.tries {
					time.Sleep(openPause)
				}
				cancel()
				if err := <-done; err != nil || c.tried() != tt.tries {
					t.Errorf("%v after %d tries, want %d", err, c.tried(), tt.tries)
				}
			})
		})
	}
}

func TestQueueOpensWhatIsLeftWhenItStops(t *testing.T) {
	c := &creating{answer: func(int) error { return nil }}
	q := NewQueue(cluster.Cases{Client: c, Now: at(noon)}, 4, quiet())
	for range 3 {
		q.Offer(Opening{Signal: gate.Signal{Subject: gate.Ref{Name: "web"}}})
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Start(stopped); err != nil || c.tried() != 3 {
		t.Errorf("%v: %d of 3 were opened", err, c.tried())
	}
}

func TestQueueTakesNothingThatItWillNotOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		answer error
		after  int // Cases that were queued when it stopped
	}{
		"everything was opened":        {nil, 3},
		"the API server went first":    {errors.New("refused"), 3},
		"there was nothing left to do": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue(cluster.Cases{Client: &creating{answer: func(int) error { return tt.answer }}, Now: at(noon)}, 100, quiet())
				for range tt.after {
					q.Offer(Opening{})
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := q.Start(ctx); err != nil {
					t.Fatal(err)
				}
				if q.Offer(Opening{}) || len(q.opened) > 0 {
					t.Errorf("it takes more, or left %d of those that it took", len(q.opened))
				}
			})
		})
	}
}

func (c *creating) tried() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries
}
