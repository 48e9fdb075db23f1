package drift

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	ctrlsource "sigs.k8s.io/controller-runtime/pkg/source"

	"moorgate.dev/internal/source"
)

// SetUpDeliveries has the Detector look each interval for what Flux and Argo CD deliver, and compare it then and
// whenever an object of it changes. Their kinds are asked for and not watched, because a cluster may have none of them today and all of
// them tomorrow. failed is told what could not be listed, once for as long as it stays the same.
func (d *Detector) SetUpDeliveries(mgr ctrl.Manager, failed func(error)) error {
	if err := d.watch(mgr); err != nil {
		return err
	}
	found := make(chan event.GenericEvent)
	b := ctrl.NewControllerManagedBy(mgr).Named("drift-deliveries").
		WatchesRawSource(ctrlsource.Channel(found, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent})
	for _, k := range Kinds() {
		b = b.WatchesRawSource(ctrlsource.Kind[client.Object](d.watched, seenAs(k), handler.EnqueueRequestsFromMapFunc(d.delivering(k)), moved))
	}
	if err := b.Complete(reconcile.Func(d.ReconcileDelivered)); err != nil {
		return fmt.Errorf("look for what is delivered: %w", err)
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		d.discover(ctx, found, failed)
		return nil
	}))
}

// discover hands on what is found, until ctx ends.
func (d *Detector) discover(ctx context.Context, found chan<- event.GenericEvent, failed func(error)) {
	again := time.NewTicker(d.interval())
	defer again.Stop()
	told := ""
	for {
		keys, err := d.Discover(ctx)
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told:
			told = err.Error()
			failed(err)
		}
		for _, key := range keys {
			select {
			case found <- event.GenericEvent{Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}}:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// delivering names what is delivered to an object's namespace and declares it, or of which it is not known yet.
func (d *Detector) delivering(k Kind) handler.MapFunc {
	return func(_ context.Context, obj client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, key := range d.deliveredTo(obj.GetNamespace()) {
			if d.declares(key, source.Name{Group: k.Group, Kind: k.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}) {
				requests = append(requests, reconcile.Request{NamespacedName: key})
			}
		}
		return requests
	}
}

// deliveredTo are the keys of what is delivered to a namespace.
func (d *Detector) deliveredTo(namespace string) []client.ObjectKey {
	d.lock.Lock()
	defer d.lock.Unlock()
	var keys []client.ObjectKey
	for key := range d.deliveries.now {
		if key.Namespace == namespace {
			keys = append(keys, key)
		}
	}
	return keys
}
