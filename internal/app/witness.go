package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/witness"
)

// observer is what witnesses the changes that people make: nil where nobody does.
type observer struct {
	handler *witness.Handler
	wanted  func(context.Context) bool
}

const (
	// queuedWitnessed is how many Cases of what people changed may wait to be opened. They wait apart from those of the gate: nobody
	// who changes much may keep a rollout from being recorded.
	queuedWitnessed = 256
	// wantedLook is how often it is looked whether anything declares objects, until something does. What people change before that
	// is not seen.
	wantedLook = 10 * time.Second
)

// newObserver adds what is told of changes, and waits for them to be stored.
func newObserver(ctx context.Context, mgr ctrl.Manager, p *process) (*observer, error) {
	if !p.witness {
		return nil, nil
	}
	source := &metav1.PartialObjectMetadata{}
	source.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GitSource"))
	if _, err := mgr.GetCache().GetInformer(ctx, source, cache.BlockUntilSynced(false)); err != nil {
		return nil, fmt.Errorf("watch GitSources: %w", err)
	}
	declared := func(ctx context.Context, in ...client.ListOption) bool {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GitSourceList"))
		err := mgr.GetCache().List(ctx, list, append(in, client.Limit(1), client.UnsafeDisableDeepCopy)...)
		return err == nil && len(list.Items) > 0
	}
	queue := webhook.NewQueue(cluster.Cases{Client: mgr.GetClient(), Now: time.Now}, queuedWitnessed, p.logger)
	book := &witness.Book{Now: time.Now, Offer: queue.Offer, Door: p.door(), Logger: p.logger.With("face", "drift"),
		Tracked: func(namespace string) bool { return declared(ctx, client.InNamespace(namespace)) }}
	o := &observer{handler: &witness.Handler{Book: book, Delivery: p.delivery, Now: time.Now, Logger: p.logger},
		wanted: func(ctx context.Context) bool { return declared(ctx) || p.offered.Delivers() }}
	return o, errors.Join(mgr.Add(queue), mgr.Add(book), mgr.Add(witness.NewWatch(mgr.GetConfig(), book, o.wanted)))
}
