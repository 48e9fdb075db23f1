package webhook

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// optional are the kinds beyond Kubernetes' own that checks read where a cluster offers them.
var optional = []schema.GroupVersionKind{
	httpRouteKind,
	certificateKind,
	verticalKind,
	kustomizationKind, helmReleaseKind, applicationKind,
	gitRepositoryKind, ociRepositoryKind, bucketKind, helmRepositoryKind, helmChartKind,
}

// offeredEvery is how often a cluster is asked for kinds that it did not offer so far.
const offeredEvery = time.Minute

// Offered knows which of the kinds that are optional a cluster offers, and has the informers of those begin. It asks in the
// background, so that no look ever does.
type Offered struct {
	Informers ctrlcache.Informers
	Mapper    meta.RESTMapper
	Logger    *slog.Logger

	mu    sync.RWMutex
	there map[schema.GroupVersionKind]gate.Fact[bool]
}

// Has is whether the cluster offers the kind, as far as is known by now.
func (o *Offered) Has(kind schema.GroupVersionKind) gate.Fact[bool] {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if has, asked := o.there[kind]; asked {
		return has
	}
	return gate.Unknown[bool]("nobody has looked yet whether the cluster has " + kind.Kind + "s of " + kind.Group)
}

// Delivers is whether the cluster offers a kind by which a tool delivers what Git declares.
func (o *Offered) Delivers() bool {
	return slices.ContainsFunc([]schema.GroupVersionKind{kustomizationKind, helmReleaseKind, applicationKind}, func(kind schema.GroupVersionKind) bool {
		has, _ := o.Has(kind).Get()
		return has
	})
}

// Start asks until ctx ends. A kind that was there once stays: what becomes of its informer when its definition goes is the
// informer's to say.
func (o *Offered) Start(ctx context.Context) error {
	return every(ctx, offeredEvery, func(ctx context.Context) {
		for _, kind := range optional {
			if has, _ := o.Has(kind).Get(); !has {
				o.ask(ctx, kind)
			}
		}
	})
}

// NeedLeaderElection says that every replica asks for itself.
func (o *Offered) NeedLeaderElection() bool { return false }

func (o *Offered) ask(ctx context.Context, kind schema.GroupVersionKind) {
	has := gate.Known(true)
	_, err := o.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err == nil {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(kind)
		_, err = o.Informers.GetInformer(ctx, u, ctrlcache.BlockUntilSynced(false))
	}
	switch {
	case meta.IsNoMatchError(err):
		has = gate.Known(false)
	case err != nil:
		has = gate.Unknown[bool](because(err))
		o.Logger.WarnContext(ctx, "look whether the cluster offers a kind", "kind", kind.String(), "error", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.there == nil {
		o.there = map[schema.GroupVersionKind]gate.Fact[bool]{}
	}
	o.there[kind] = has
}

// offered is whether there may be objects of an optional kind.
func (w World) offered(kind schema.GroupVersionKind) gate.Fact[bool] {
	if w.Offered == nil {
		return gate.Known(true) // whoever asks finds out
	}
	return w.Offered.Has(kind)
}

// optional lists the objects of an optional kind in a namespace, empty for all. A kind that the cluster does not offer has
// none. The objects may be shared with the cache, so nobody may change them.
func (w World) optional(ctx context.Context, kind schema.GroupVersionKind, ns string) gate.Fact[[]unstructured.Unstructured] {
	has := w.offered(kind)
	if there, known := has.Get(); !known {
		return gate.Unknown[[]unstructured.Unstructured](has.Why())
	} else if !there {
		return gate.Known[[]unstructured.Unstructured](nil)
	}
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := w.Reader.List(ctx, &list, client.InNamespace(ns), client.UnsafeDisableDeepCopy)
	if meta.IsNoMatchError(err) {
		return gate.Known[[]unstructured.Unstructured](nil)
	}
	return factOf(list.Items, err)
}

// one reads one object of an optional kind: nil where there is none. It may be shared with the cache, so nobody may change it.
func (w World) one(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) gate.Fact[*unstructured.Unstructured] {
	has := w.offered(kind)
	if there, known := has.Get(); !known {
		return gate.Unknown[*unstructured.Unstructured](has.Why())
	} else if !there {
		return gate.Known[*unstructured.Unstructured](nil)
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	err := w.Reader.Get(ctx, key, u, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		return gate.Known(u)
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return gate.Known[*unstructured.Unstructured](nil)
	}
	return gate.Unknown[*unstructured.Unstructured](because(err))
}
