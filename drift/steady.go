package drift

import (
	"context"
	"hash/fnv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
)

// An object that said what Git says, and whose manifest and fingerprint are the same since, says so still: nobody is asked about it.
// That holds but for what is not seen in its metadata: what an admission webhook would do today, and what the API server fills in
// since it is of another version. Such is found by a sweep, in which everything is looked at as if for the first time, as after a watch
// that failed.

const (
	// sweepEvery is how many intervals lie between two sweeps, or a few less, so that not all GitSources are swept at once.
	sweepEvery, sweepSpread = 30, 10
	// listFrom is how many objects of a kind there must be to look at for all of them to be read together, and listShare the part of them
	// that this must be: to read a few by themselves is less than to read five thousand.
	listFrom, listShare = 8, 25
	// vanished stands for the fingerprint of what the cluster does not have.
	vanished = "gone"
)

// settled are the objects of a tree that need no look, because they are known to say what Git says, or to be absent. It asks the
// API server, where many have to be looked at, to list them, and remembers what it finds.
func (d *Detector) settled(ctx context.Context, key client.ObjectKey, t tree, sweep bool) map[source.Name]bool {
	known := map[source.Name]bool{}
	open, all := map[schema.GroupVersionKind][]folded{}, map[schema.GroupVersionKind]int{}
	for _, o := range t.objects {
		p := t.past[o.Name]
		if o.Unknown != "" {
			continue
		}
		all[o.as]++
		if p == nil || o.left != "" || d.More.kind(o.Name).asked {
			continue
		}
		if !sweep && p.clean != "" && p.clean == d.fingerprintOf(ctx, o.Name) {
			known[o.Name] = true
			continue
		}
		open[o.as] = append(open[o.as], o)
	}
	for g, objects := range open {
		if len(objects) < listFrom || len(objects)*listShare < all[g] {
			continue
		}
		found, err := d.listed(ctx, g, key.Namespace, objects)
		if err != nil {
			continue // each is looked at by itself, and says what went wrong
		}
		for _, o := range objects {
			p := t.past[o.Name]
			switch live := found[o.Name.Name]; {
			case live == nil:
				p.clean, known[o.Name] = vanished, true
			case live.clean:
				p.alive(live.uid)
				p.began(live.uid, d.Now(), nil)
				p.changed(live.uid, nil)
				p.clean, known[o.Name] = live.fingerprint, true
			}
		}
	}
	return known
}

// sweeps reports whether a GitSource is to be swept now, and if so, notes when the next time is.
func (d *Detector) sweeps(key client.ObjectKey) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	now := d.Now()
	if now.Before(d.sweep[key]) {
		return false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.String()))
	if d.sweep == nil {
		d.sweep = map[client.ObjectKey]time.Time{}
	}
	d.sweep[key] = now.Add(d.interval() * time.Duration(sweepEvery-h.Sum32()%sweepSpread))
	return true
}

// fingerprintOf is the fingerprint of a live object as it was seen last. Where nothing is watched, it is empty.
func (d *Detector) fingerprintOf(ctx context.Context, n source.Name) string {
	k, _ := kindOf(n)
	if d.seen == nil {
		return ""
	}
	m := seenAs(k)
	err := d.seen.Get(ctx, client.ObjectKey{Namespace: n.Namespace, Name: n.Name}, m)
	switch {
	case apierrors.IsNotFound(err):
		return vanished
	case err != nil:
		return ""
	}
	return string(m.UID)
}

// sighted is what is kept of an object in a list.
type sighted struct {
	uid, fingerprint string
	clean            bool
}

// listed reads all objects of a kind, a page at a time, and tells of those that Git declares, by name, which say what Git says.
func (d *Detector) listed(ctx context.Context, g schema.GroupVersionKind, namespace string, objects []folded) (map[string]*sighted, error) {
	wanted := map[string]folded{}
	for _, o := range objects {
		wanted[o.Name.Name] = o
	}
	k, _ := kindOf(objects[0].Name)
	found := map[string]*sighted{}
	for from := ""; ; {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(g.GroupVersion().WithKind(g.Kind + "List"))
		if err := d.Client.List(ctx, list, client.InNamespace(namespace), client.Limit(k.page), client.Continue(from)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			live := &list.Items[i]
			desired := wanted[live.GetName()].unfold().Desired
			if desired == nil {
				continue
			}
			live.SetGroupVersionKind(g) // which the items of some lists do not say
			clean, err := says(live, prepared(desired, live))
			found[live.GetName()] = &sighted{uid: string(live.GetUID()), fingerprint: fingerprint(live), clean: clean && err == nil}
		}
		if from = list.GetContinue(); from == "" {
			return found, nil
		}
	}
}

// remember keeps what a look found out, for the next round: where anything is amiss, or hung on more than the object itself, it is
// looked at again.
func (p *past) remember(l *look) {
	p.clean = ""
	switch {
	case l.left != "" || len(l.unread) > 0 || len(l.drifts) > 0 || l.leans || l.moving:
	case l.absent: // deleted or never there: a watch tells when it comes
		p.clean = vanished
	default:
		p.clean = l.fingerprint
	}
}
