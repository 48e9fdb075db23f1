package remediate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// ward is a kind of object, besides pods, that fares badly in ways of its own: the sweep lists it, and a Warning event about one
// makes somebody look.
type ward struct {
	kind schema.GroupVersionKind
	// one and list are an empty object of the kind, and an empty list.
	one  func() client.Object
	list func() client.ObjectList
	// shows is every symptom that one can show.
	shows []causes.Symptom
	// signs are those that one shows now. It takes what the object says, and no client.
	signs func(o client.Object, now time.Time, patience time.Duration) []causes.Symptom
	// near: it is told of what controls it, and of nobody above that.
	near bool
	// conditions is what its controller says of it.
	conditions func(o client.Object) []causes.Condition
}

// wards are all kinds that are looked at besides pods.
var wards = slices.Concat(schedWards, objectWards)

// wardOf is the ward of a kind; nil for none.
func wardOf(kind string) *ward {
	i := slices.IndexFunc(wards, func(w ward) bool { return w.kind.Kind == kind })
	if i < 0 {
		return nil
	}
	return &wards[i]
}

// sweepWards looks at every object of every ward. What may not be listed shows nothing here: a Case about it says so when it is
// looked at again.
func (p *patrol) sweepWards(ctx context.Context) error {
	now := p.Now()
	for i := range wards {
		ward := &wards[i]
		ill := map[string]bool{}
		err := p.eye.each(ctx, ward, "", func(o client.Object) error {
			if len(ward.signs(o, now, p.Settle)) > 0 {
				ill[o.GetName()] = true
				p.intake.add(subject{kind: ward.kind.Kind, namespace: o.GetNamespace(), name: o.GetName(), uid: string(o.GetUID())}, now)
			}
			return nil
		})
		if err != nil && !refused(err) {
			return fmt.Errorf("list every %s: %w", ward.kind.Kind, err)
		}
		if ward.kind.Kind == nodeWard.kind.Kind {
			maps.DeleteFunc(p.unwell, func(name string, _ *ground) bool { return !ill[name] })
		}
	}
	return nil
}

// refused is whether reading is refused for good, and not just this time.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || meta.IsNoMatchError(err)
}

// each goes through the objects of a ward, a page at a time. They are read seldom and few are looked at, so no cache holds them.
func (e eye) each(ctx context.Context, w *ward, namespace string, do func(client.Object) error) error {
	for next := ""; ; {
		list := w.list()
		if err := e.owners.List(ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			object, ok := o.(client.Object)
			if !ok {
				return fmt.Errorf("a list of %s holds a %T", w.kind.Kind, o)
			}
			return do(object)
		})
		if err != nil {
			return err
		}
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}

// tended are the happenings that an object of a ward shows now.
func (e eye) tended(ctx context.Context, w *ward, s subject, now time.Time) ([]Key, error) {
	o := w.one()
	err := e.owners.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.name}, o)
	if err != nil && refused(err) || err == nil && s.uid != "" && s.uid != string(o.GetUID()) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s/%s, which an event speaks of: %w", w.kind.Kind, s.namespace, s.name, err)
	}
	return e.showing(ctx, w, o, now)
}

// showing are the happenings that an object of a ward shows.
func (e eye) showing(ctx context.Context, w *ward, o client.Object, now time.Time) ([]Key, error) {
	signs := w.signs(o, now, e.settle)
	if len(signs) == 0 {
		return nil, nil
	}
	root, err := e.rootOfObject(ctx, w, o, now)
	if err != nil {
		return nil, fmt.Errorf("find the owner of %s %s/%s: %w", w.kind.Kind, o.GetNamespace(), o.GetName(), err)
	}
	var keys []Key
	for _, sign := range signs {
		keys = append(keys, Key{Symptom: sign, Root: root})
	}
	return keys, nil
}

// rootOfObject is what an object belongs to: itself, where nothing controls it. What has no namespace is told of at home.
func (e eye) rootOfObject(ctx context.Context, w *ward, o client.Object, now time.Time) (gate.Ref, error) {
	if controller := metav1.GetControllerOfNoCopy(o); controller != nil {
		if w.near {
			kind := schema.FromAPIVersionAndKind(controller.APIVersion, controller.Kind)
			return plain(gate.Ref{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Namespace: o.GetNamespace(), Name: controller.Name, UID: string(controller.UID)}), nil
		}
		return e.rootOf(ctx, o.GetNamespace(), controller, now)
	}
	return refTo(w, o), nil
}

func refTo(w *ward, o client.Object) gate.Ref {
	ref := gate.Ref{Group: w.kind.Group, Version: w.kind.Version, Kind: w.kind.Kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: string(o.GetUID())}
	if ref.Namespace == "" {
		ref.Namespace = cluster.OwnNamespace
	}
	return ref
}

// objects reads every object that belongs to the root and may show the symptom, with how it fares.
func (e eye) objects(ctx context.Context, w *causes.World) error {
	evidence := gate.Evidence{ID: causes.EvidenceObjects, Source: "what belongs to " + w.Root.Kind + "/" + w.Root.Name, At: w.At, Trust: gate.FromAPI}
	for i := range wards {
		ward := &wards[i]
		if !slices.Contains(ward.shows, w.Symptom) {
			continue
		}
		err := e.each(ctx, ward, w.Root.Namespace, func(o client.Object) error {
			root, err := e.rootOfObject(ctx, ward, o, w.At)
			if err == nil && root.UID == w.Root.UID {
				w.Objects = append(w.Objects, e.objectOf(ward, o, w))
			}
			return err
		})
		switch {
		case err != nil && (meta.IsNoMatchError(err) || apierrors.IsNotFound(err)): // the cluster does not have the kind, and so nothing of it
		case err != nil && refused(err):
			evidence.Unread = "reading " + ward.kind.Kind + "s: " + refusal(err)
		case err != nil:
			return fmt.Errorf("list every %s beside %s: %w", ward.kind.Kind, w.Root, err)
		}
	}
	w.Complete = gate.Known(evidence.Unread == "")
	w.Evidence = append(w.Evidence, objectsTold(evidence, w.Objects))
	return e.beyond(ctx, w)
}

func (e eye) objectOf(ward *ward, o client.Object, w *causes.World) causes.Object {
	object := causes.Object{Ref: refTo(ward, o), State: causes.Well, Conditions: ward.conditions(o)}
	if slices.Contains(ward.signs(o, w.At, e.settle), w.Symptom) {
		object.State = causes.Stuck
	} else if slices.Contains(ward.signs(o, w.At, 0), w.Symptom) {
		object.State = causes.Unsure
	}
	return object
}

func objectsTold(e gate.Evidence, objects []causes.Object) gate.Evidence {
	var told []string
	for _, o := range objects {
		s := fmt.Sprintf("%s/%s is %s", o.Ref.Kind, o.Ref.Name, o.State)
		for _, c := range o.Conditions {
			s += fmt.Sprintf(", %s=%s (%s)", c.Type, c.Status, c.Reason)
		}
		told = append(told, s)
	}
	e.Text = strings.Join(told[:min(len(told), maxTold)], "; ")
	if more := len(told) - maxTold; more > 0 {
		e.Text += fmt.Sprintf("; and %d more", more)
	}
	return e
}
