package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// What was delivered once and Git does not declare any more lives on where it is not pruned: nobody updates it, and who reads Git does not
// know of it. An object is such an orphan only where all of this is known:
//
//   - it bears the mark of what delivers, which has applied it, by the word of its managed fields, since it exists: a copy of an object
//     bears the mark too, and was applied by nobody;
//   - neither the commit that was applied last declares it, nor does any delivery list it as its own, nor a GitSource declare it;
//   - it is older than the last apply, and who delivers is at rest at that commit: else it may be about to be declared, or pruned;
//   - nothing says that it is to stay, or goes with something else: pruning is disabled for it, it is a hook, another object owns it, it
//     is being deleted.
//
// All that a delivery has left in a namespace is one Case. It is told, and never deleted here, and no edit of Git is offered.

// reasonOrphaned is the word for objects that live on though Git does not declare them any more.
const reasonOrphaned = "ObjectsOrphaned"

// mostStrays bounds how many objects are looked at that may be orphans.
const mostStrays = 500

// searched is what came of looking for orphans of a delivery the last time.
type searched struct {
	of    *plans // of the tree that was searched for, which are new whenever it is read anew
	again bool   // it could not be said
	// found are the orphans, with the fingerprint that each had, where it is known.
	found map[source.Name]string
}

// orphansOf looks for the orphans of a delivery, in order, unless it is known that nothing has changed. The error says why it could not
// be said.
func (d *Detector) orphansOf(ctx context.Context, t tree, others []Delivered, before searched) ([]gate.Ref, searched, error) {
	y := t.delivery
	after := searched{of: t.plans, again: true, found: map[source.Name]string{}}
	marked, err := d.marked(ctx, y)
	if err != nil {
		return nil, after, err
	}
	var orphans []gate.Ref
	for _, o := range marked {
		n := source.Name{Group: o.k.Group, Kind: o.k.Kind, Namespace: y.Namespace, Name: o.name}
		if t.past[n] != nil || y.has(n) || slices.ContainsFunc(others, func(other Delivered) bool { return other.Key() != y.Key() && other.has(n) }) || d.declaredElsewhere(n) {
			continue
		}
		if len(after.found) == mostStrays {
			break
		}
		uid := o.uid
		if known := before.found[n]; known == "" || known != o.fingerprint {
			if uid, err = d.strays(ctx, y, o); err != nil {
				return nil, after, err
			}
		}
		if uid != "" {
			after.found[n] = o.fingerprint
			orphans = append(orphans, gate.Ref{Group: o.k.Group, Version: o.k.Version, Kind: o.k.Kind, Namespace: y.Namespace, Name: o.name, UID: uid})
		}
	}
	if len(orphans) > 0 {
		moving, err := d.moving(ctx, y)
		switch {
		case err != nil:
			return nil, after, unknownf("who delivers cannot be read again: %s", unanswered(err))
		case moving || y.unrest != "":
			return nil, after, unknownf("it is being delivered just now")
		}
	}
	after.again = false
	slices.SortFunc(orphans, byKind)
	return orphans, after, nil
}

// has reports whether a delivery lists an object as its own.
func (y *Delivered) has(n source.Name) bool { return y.applied[n] && !y.stale[n] }

// declaredElsewhere reports whether a GitSource declares an object, as far as it was read here.
func (d *Detector) declaredElsewhere(n source.Name) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	for _, t := range d.last {
		if t.delivery == nil && t.past[n] != nil {
			return true
		}
	}
	return false
}

// marked is an object that bears the mark of what delivers.
type marked struct {
	k           Kind
	name        string
	fingerprint string // where it is watched
	uid         string // where it is not
}

// marked are the objects of a namespace that bear the mark of what delivers. Flux labels what it applies; of Argo CD it is its own list of
// what it would prune, because its mark is an annotation, by which nobody can ask.
func (d *Detector) marked(ctx context.Context, y *Delivered) ([]marked, error) {
	var all []marked
	if y.owner.Kind == applicationKind.Kind {
		for n := range y.stale {
			if k, compared := kindOf(n); compared && !k.asked && n.Namespace == y.Namespace {
				all = append(all, marked{k: k, name: n.Name})
			}
		}
		return all, nil
	}
	reader := client.Reader(d.Client)
	if d.seen != nil {
		reader = d.seen
	}
	for _, k := range Kinds() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(k.GroupVersion().WithKind(k.Kind + "List"))
		err := reader.List(ctx, list, client.InNamespace(y.Namespace), client.MatchingLabels{fluxName: y.owner.Name, fluxNamespace: y.owner.Namespace})
		if err != nil {
			return nil, unknownf("%s cannot be listed: %s", k.Resource, unanswered(err))
		}
		for i := range list.Items {
			one := marked{k: k, name: list.Items[i].Name}
			if d.seen != nil {
				one.fingerprint = string(list.Items[i].UID)
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// strays looks at an object that may be an orphan, and answers its UID where nothing speaks against it.
func (d *Detector) strays(ctx context.Context, y *Delivered, o marked) (uid string, err error) {
	m := seenAs(o.k)
	err = d.Client.Get(ctx, client.ObjectKey{Namespace: y.Namespace, Name: o.name}, m)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", unknownf("%s/%s cannot be read: %s", o.k.Kind, line(o.name), unanswered(err))
	}
	if !y.marks(m, o.k) || !y.left(m) {
		return "", nil
	}
	if y.at.IsZero() {
		return "", unknownf("when it applied last does not stand in its status")
	}
	if y.at.Before(m.CreationTimestamp.Time) {
		return "", unknownf("%s/%s is younger than the last apply", o.k.Kind, line(o.name))
	}
	return string(m.UID), nil
}

// marks reports whether an object bears the mark of what delivers, and was applied by that.
func (y *Delivered) marks(m *metav1.PartialObjectMetadata, k Kind) bool {
	applier := "kustomize-controller"
	marked := m.Labels[fluxName] == y.owner.Name && m.Labels[fluxNamespace] == y.owner.Namespace
	if y.owner.Kind == applicationKind.Kind {
		applier = "argocd-"
		marked = y.tracks(m, k.GroupVersionKind)
	}
	return marked && slices.ContainsFunc(m.ManagedFields, func(e metav1.ManagedFieldsEntry) bool {
		return partyOf(e) == Delivery && strings.HasPrefix(e.Manager, applier) &&
			e.Time != nil && !e.Time.Time.Before(m.CreationTimestamp.Time)
	})
}

// tracks reports whether Argo CD has an object as one of its Application's: by an annotation that names the object too, or by a label
// where there is none.
func (y *Delivered) tracks(m *metav1.PartialObjectMetadata, k schema.GroupVersionKind) bool {
	object := fmt.Sprintf("%s/%s:%s/%s", k.Group, k.Kind, m.Namespace, m.Name)
	if id := m.Annotations["argocd.argoproj.io/tracking-id"]; id != "" {
		return id == y.owner.Name+":"+object || id == y.owner.Namespace+"_"+y.owner.Name+":"+object
	}
	return m.Labels["app.kubernetes.io/instance"] == y.owner.Name
}

// left reports whether nothing says that an object is to stay, or goes with something else.
func (y *Delivered) left(m *metav1.PartialObjectMetadata) bool {
	if m.DeletionTimestamp != nil || len(m.OwnerReferences) > 0 {
		return false
	}
	return !slices.ContainsFunc(hooks, func(name string) bool { return m.Annotations[name] != "" }) &&
		!slices.ContainsFunc(stays, func(s stay) bool { return s.in(m.Annotations[s.annotation]) })
}
