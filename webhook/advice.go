package webhook

import (
	"context"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

const (
	// AdviceLease is the Lease, in Moorgate's own namespace, that the judge keeps fresh while a model can be asked.
	AdviceLease = "moorgate-advice"
	// annotationAway says on the Lease why none can be.
	annotationAway = "moorgate.dev/away"

	adviceEvery = 3 * time.Second
	// adviceFor is how long the judge's word is good: one that was killed is followed by another by then, which has to wait for its
	// leader election's Lease to run out (15 s), and one that is gone holds nobody up for longer.
	adviceFor = 25 * time.Second
)

// Advice knows whether a model can be asked about a rollout, as the judge says by its Lease. It reads that in the background.
type Advice struct {
	Reader    client.Reader // reads the API server, not a cache
	Namespace string
	Now       func() time.Time

	mu   sync.RWMutex
	said time.Time // when it was last renewed, by the judge's clock
	seen time.Time // when that was seen to change, by ours: the two may differ
	away string
}

// Away says why no model can be asked now; empty where one can be.
func (a *Advice) Away() string {
	if a == nil {
		return "nobody looks whether the judge is there"
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	switch {
	case a.away != "":
		return a.away
	case a.Now().Sub(a.seen) > adviceFor:
		return "the judge is away"
	}
	return ""
}

// Start reads until ctx ends.
func (a *Advice) Start(ctx context.Context) error {
	return every(ctx, adviceEvery, a.read)
}

// NeedLeaderElection says that every replica reads for itself.
func (a *Advice) NeedLeaderElection() bool { return false }

func (a *Advice) read(ctx context.Context) {
	var lease coordinationv1.Lease
	err := a.Reader.Get(ctx, client.ObjectKey{Namespace: a.Namespace, Name: AdviceLease}, &lease)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		return // what was known grows old by itself
	}
	a.away = gate.OneLine(lease.Annotations[annotationAway], 160)
	if r := lease.Spec.RenewTime; r != nil && !r.Time.Equal(a.said) {
		// The first one that is seen may be of any age; where the clocks agree it tells its age itself.
		if age := a.Now().Sub(r.Time); !a.said.IsZero() || age.Abs() < adviceFor {
			a.seen = a.Now()
		}
		a.said = r.Time
	}
}

// Advising is the judge's side: it keeps the Lease fresh, and says on it why no model can be asked where that is so.
type Advising struct {
	Client    client.Client
	Namespace string
	// Away says why no model can be asked; empty where one can be.
	Away func() string
	Now  func() time.Time
	// Failed is told that the Lease could not be written.
	Failed func(error)
}

// Start writes until ctx ends.
func (a *Advising) Start(ctx context.Context) error {
	return every(ctx, adviceEvery, func(ctx context.Context) {
		if err := a.write(ctx); err != nil && ctx.Err() == nil {
			a.Failed(err)
		}
	})
}

// NeedLeaderElection says that only the judge that is at work speaks.
func (a *Advising) NeedLeaderElection() bool { return true }

func (a *Advising) write(ctx context.Context) error {
	key := client.ObjectKey{Namespace: a.Namespace, Name: AdviceLease}
	var lease coordinationv1.Lease
	err := a.Client.Get(ctx, key, &lease)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read lease %s: %w", key, err)
	}
	missing := apierrors.IsNotFound(err)
	lease.Namespace, lease.Name = key.Namespace, key.Name
	lease.Labels = map[string]string{"app.kubernetes.io/part-of": "moorgate"}
	lease.Annotations = nil
	if away := a.Away(); away != "" {
		lease.Annotations = map[string]string{annotationAway: gate.OneLine(away, 160)}
	}
	lease.Spec.HolderIdentity = new("moorgate-judge")
	lease.Spec.LeaseDurationSeconds = new(int32(adviceFor / time.Second))
	now := metav1.NewMicroTime(a.Now())
	lease.Spec.RenewTime = &now
	if missing {
		err = a.Client.Create(ctx, &lease)
	} else {
		err = a.Client.Update(ctx, &lease)
	}
	if err != nil {
		return fmt.Errorf("renew lease %s: %w", key, err)
	}
	return nil
}

// every does something at once, and then again and again until ctx ends.
func every(ctx context.Context, pause time.Duration, do func(context.Context)) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		do(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}
