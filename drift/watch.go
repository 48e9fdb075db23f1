package drift

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	crsource "sigs.k8s.io/controller-runtime/pkg/source"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/source"
)

// concurrent is how many GitSources are looked at side by side, so that one slow server does not hold up all others.
const concurrent = 2

// watch begins to watch what is compared. What it watches for that it keeps by itself: of each object no more than its name and its
// fingerprint.
func (d *Detector) watch(mgr ctrl.Manager) error {
	if d.watched != nil {
		return nil
	}
	seen, err := cache.New(mgr.GetConfig(), cache.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(),
		DefaultTransform: (&slimmer{}).slim, DefaultUnsafeDisableDeepCopy: new(true), ReaderFailOnMissingInformer: true,
		DefaultWatchErrorHandler: func(ctx context.Context, r *toolscache.Reflector, err error) {
			toolscache.DefaultWatchErrorHandler(ctx, r, err)
			d.doubt(err)
		}})
	if err != nil {
		return fmt.Errorf("prepare to watch what is compared with Git: %w", err)
	}
	if err := mgr.Add(seen); err != nil {
		return fmt.Errorf("prepare to watch what is compared with Git: %w", err)
	}
	d.seen, d.watched = seen, seen
	return nil
}

// SetUp has the Detector called for every GitSource, and for every change of an object that one declares.
func (d *Detector) SetUp(mgr ctrl.Manager) error {
	if err := d.watch(mgr); err != nil {
		return err
	}
	b := ctrl.NewControllerManagedBy(mgr).Named("drift").
		For(&v1alpha1.GitSource{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent})
	for _, k := range Kinds() {
		b = b.WatchesRawSource(crsource.Kind[client.Object](d.watched, seenAs(k), handler.EnqueueRequestsFromMapFunc(d.near(mgr.GetClient(), k)), moved))
	}
	return b.Complete(d)
}

// doubt has every GitSource swept in its next round, because a watch has failed, and what it would have told is not known. While it goes
// on failing each round is a sweep, which says what cannot be read. A watch that ends, or is too old, is begun again without a gap.
func (d *Detector) doubt(err error) {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || errors.Is(err, io.EOF) {
		return
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	clear(d.sweep)
}

// near names the GitSources of an object's namespace that declare it, or of which it is not known yet.
func (d *Detector) near(sources client.Reader, k Kind) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		var list v1alpha1.GitSourceList
		if err := sources.List(ctx, &list, client.InNamespace(obj.GetNamespace())); err != nil {
			return nil // the next interval sees it
		}
		var requests []reconcile.Request
		for i := range list.Items {
			key := client.ObjectKeyFromObject(&list.Items[i])
			if d.declares(key, source.Name{Group: k.Group, Kind: k.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}) {
				requests = append(requests, reconcile.Request{NamespacedName: key})
			}
		}
		return requests
	}
}

// declares reports whether what was read last of a GitSource declares an object; or where nothing is known of it, that it may.
func (d *Detector) declares(key client.ObjectKey, n source.Name) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	t, known := d.last[key]
	return !known || t.past[n] != nil
}

// moved is an object's coming, going, or being another one by its fingerprint: a status that is written is none of these.
var moved = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }}

// seenAs is an empty object of a kind, of which metadata alone is asked for.
func seenAs(k Kind) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(k.GroupVersionKind)
	return m
}
