package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/internal/gate"
)

// deliveries are what is delivered, as of the last time that somebody looked, and what came of comparing it.
type deliveries struct {
	now     map[client.ObjectKey]Delivered
	whole   bool // nothing of it could not be listed
	classes map[client.ObjectKey]string
	told    map[string]string // the last problem that was told, by the name of who delivers
}

// Discover looks for what is delivered, and answers the keys of all that is to be compared now: of what is delivered, and of what was
// and is no more. The error says what could not be listed; what was known of that stays known.
func (d *Detector) Discover(ctx context.Context) ([]client.ObjectKey, error) {
	found, err := d.Deliveries(ctx, "")
	d.lock.Lock()
	defer d.lock.Unlock()
	now := map[client.ObjectKey]Delivered{}
	for _, y := range found {
		now[y.Key()] = y
	}
	keys := map[client.ObjectKey]bool{}
	for key, y := range d.deliveries.now {
		if _, still := now[key]; !still && err != nil {
			now[key] = y
		}
		keys[key] = true
	}
	for key := range now {
		keys[key] = true
	}
	d.deliveries.now, d.deliveries.whole = now, err == nil
	return slices.SortedFunc(maps.Keys(keys), func(a, b client.ObjectKey) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	}), err
}

// DeliveryCounts counts what is delivered by its class, as far as it was looked at.
func (d *Detector) DeliveryCounts() map[string]int {
	d.lock.Lock()
	defer d.lock.Unlock()
	counts := map[string]int{}
	for _, class := range d.deliveries.classes {
		counts[class]++
	}
	return counts
}

// ReconcileDelivered compares what is delivered to one namespace, as Reconcile does with a GitSource. What is wrong with it is told by
// an Event about the object that delivers it, because its status is not ours to write.
func (d *Detector) ReconcileDelivered(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	key := req.NamespacedName
	d.lock.Lock()
	y, there := d.deliveries.now[key]
	d.lock.Unlock()
	if !there {
		d.forget(key)
		d.classify(key, "")
		return reconcile.Result{}, d.release(ctx, key, Title(key)+" does not deliver it any more, so nobody compares it")
	}
	if y.between {
		return reconcile.Result{}, nil // what was known of it stays until it has come to rest
	}
	if y.Problem != "" {
		return reconcile.Result{}, d.uncompared(ctx, y)
	}
	t := d.delivered(ctx, y)
	if err := t.err(); err != nil {
		y.fail(err)
		return reconcile.Result{}, d.uncompared(ctx, y)
	}
	d.classify(key, DeliveryCompared)
	r, err := d.round(ctx, key, t)
	if err != nil {
		return reconcile.Result{}, err
	}
	d.stand(key, r.standing)
	return reconcile.Result{}, errors.Join(r.failed...)
}

// classify keeps what came of looking at a delivery, for whoever counts; an empty class is that of none.
func (d *Detector) classify(key client.ObjectKey, class string) {
	d.lock.Lock()
	defer d.lock.Unlock()
	switch {
	case class == "":
		delete(d.deliveries.classes, key)
	case d.deliveries.classes == nil:
		d.deliveries.classes = map[client.ObjectKey]string{key: class}
	default:
		d.deliveries.classes[key] = class
	}
	if class == "" || class == DeliveryCompared {
		delete(d.deliveries.told, key.Name)
	}
}

// uncompared says on the Cases of what cannot be compared that this is so, and why in an Event, once.
func (d *Detector) uncompared(ctx context.Context, y Delivered) error {
	d.classify(y.Key(), y.Class)
	d.stand(y.Key(), nil)
	if d.Events != nil && d.news(y) {
		d.Events.Eventf(reference(y.owner), nil, corev1.EventTypeWarning, eventUncompared, "Compare",
			"what it delivers to namespace %s is not compared with Git: %s", y.Namespace, gate.OneLine(y.Problem, noteMost))
	}
	return d.release(ctx, y.Key(), line("it is not compared: "+y.Problem))
}

// news reports whether the problem is another one than was told last.
func (d *Detector) news(y Delivered) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.deliveries.told[y.Name] == y.Problem {
		return false
	}
	if d.deliveries.told == nil {
		d.deliveries.told = map[string]string{}
	}
	d.deliveries.told[y.Name] = y.Problem
	return true
}

// delivered is the repository at the commit that was applied last. Once it was read, nobody is asked for it again until something else
// is applied; a failure is the answer for an interval.
func (d *Detector) delivered(ctx context.Context, y Delivered) tree {
	d.lock.Lock()
	last, known := d.last[y.Key()]
	d.lock.Unlock()
	passing := last.unread != nil || last.ground.values != nil && last.ground.values.passing
	if known && last.delivery != nil && last.delivery.same(y) && (!passing || d.Now().Sub(last.at) < d.interval()) {
		last.delivery = &y
		return last
	}
	last.sealer, last.more = d.Secrets, d.More
	if read, err := d.readDelivered(ctx, &y, last); err != nil {
		last.unread = err // and what was seen stays known
	} else {
		last = read
	}
	last.delivery, last.at = &y, d.Now()
	d.remember(y.Key(), last)
	return last
}

// tree is what was read of a repository, without what was not applied to the namespace.
func (y Delivered) tree(read Tree, before tree) tree {
	read.Files = y.shallow(read.Files)
	t := parse(read, before, y.Namespace, y.spec)
	t.delivery = &y
	if y.stored == (client.ObjectKey{}) {
		t.objects = slices.DeleteFunc(t.objects, func(k folded) bool { return !y.applied[k.Name] })
		t.elsewhere = names{} // another Delivered is about it
	}
	for _, p := range t.past {
		p.last = true
	}
	return t
}

// withheld are proposals, without those that would write to a branch whose head says something that is not delivered yet.
func (t tree) withheld(all []proposal) []proposal {
	if t.delivery == nil {
		return all
	}
	head := t.delivery.Head
	if t.delivery.home != nil {
		head = t.delivery.home.Head
	}
	for i := range all {
		if head != "" && all[i].why == "" {
			all[i].why = fmt.Sprintf("commit %.12s is not delivered yet, and may say something else there", head)
		}
	}
	return all
}
