package witness

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	subresourceScale = "scale"
	writeSize        = 512 // bytes of a write beside what the API server sent
)

// write is what a person asked for, until it is known whether it was stored.
type write struct {
	kind                   *kind
	operation              admissionv1.Operation
	subresource            string
	user                   string
	namespace, name        string
	at                     time.Time
	before, after, options []byte // as the API server sent them; given up once they were read
	bytes                  int    // how much of the room for writes it takes

	read   bool // whether the following were read
	broken error
	was    client.Object // before, or nil
	is     client.Object // after, or nil
	scaled *scaling
}

// scaling is what a write of the subresource scale would do.
type scaling struct {
	uid, version string // of the object that is scaled, before
	was, is      int32
}

// size is how much memory it takes at most: what is read of JSON takes about as much again.
func (w *write) size() int {
	return 2*(len(w.before)+len(w.after)) + len(w.options) + len(w.user) + len(w.namespace) + len(w.name) + writeSize
}

// parse reads what the API server sent, once.
func (w *write) parse() error {
	if w.read {
		return w.broken
	}
	w.read = true
	defer func() { w.before, w.after = nil, nil }()
	if w.subresource == subresourceScale {
		w.broken = w.parseScale()
		return w.broken
	}
	if len(w.before) > 0 {
		w.was = w.kind.object()
		w.broken = json.Unmarshal(w.before, w.was)
	}
	if len(w.after) > 0 && w.broken == nil {
		w.is = w.kind.object()
		w.broken = json.Unmarshal(w.after, w.is)
	}
	if complete := w.broken == nil && (w.operation != admissionv1.Delete && w.is == nil || w.operation != admissionv1.Create && w.was == nil); complete {
		w.broken = fmt.Errorf("a %s without the objects that belong to it", w.operation)
	}
	return w.broken
}

func (w *write) parseScale() error {
	var before, after autoscalingv1.Scale
	if err := json.Unmarshal(w.before, &before); err != nil {
		return err
	}
	if err := json.Unmarshal(w.after, &after); err != nil {
		return err
	}
	w.scaled = &scaling{uid: string(before.UID), version: before.ResourceVersion, was: before.Spec.Replicas, is: after.Spec.Replicas}
	return nil
}

// storedAs reports whether a version of the object that the watch showed is what the write asked for. A write by somebody else
// that says the same in the same second with a field manager of the same name cannot be told from it.
func (w *write) storedAs(seen client.Object, gone bool) bool {
	if w.parse() != nil {
		return false
	}
	switch {
	case w.scaled != nil:
		return !gone && w.scaled.storedAs(seen)
	case w.operation == admissionv1.Delete:
		return seen.GetUID() == w.was.GetUID() && (gone || seen.GetDeletionTimestamp() != nil && w.was.GetDeletionTimestamp() == nil)
	case w.operation == admissionv1.Create:
		return seen.GetUID() == w.is.GetUID()
	}
	return !gone && seen.GetUID() == w.is.GetUID() && seen.GetResourceVersion() != w.was.GetResourceVersion() &&
		slices.EqualFunc(seen.GetManagedFields(), w.is.GetManagedFields(), sameTool) && equality.Semantic.DeepEqual(content(seen), content(w.is))
}

func (s *scaling) storedAs(seen client.Object) bool {
	replicas, scalable := replicasOf(seen)
	return scalable && string(seen.GetUID()) == s.uid && seen.GetResourceVersion() != s.version && replicas == s.is &&
		slices.ContainsFunc(seen.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Subresource == subresourceScale })
}

func sameTool(a, b metav1.ManagedFieldsEntry) bool {
	return a.Manager == b.Manager && a.Operation == b.Operation && a.Subresource == b.Subresource && equality.Semantic.DeepEqual(a.Time, b.Time)
}

// content is an object without what the API server writes while it stores it.
func content(o client.Object) client.Object {
	c, _ := o.DeepCopyObject().(client.Object)
	c.SetResourceVersion("")
	c.SetGeneration(0)
	c.SetManagedFields(nil)
	c.GetObjectKind().SetGroupVersionKind(noKind)
	return c
}

// manager is the field manager of the write: the one that was named, or else the one whose entry the write changed.
func (w *write) manager() string {
	var options struct {
		FieldManager string `json:"fieldManager"`
	}
	if json.Unmarshal(w.options, &options) == nil && options.FieldManager != "" || w.is == nil {
		return options.FieldManager
	}
	var before []metav1.ManagedFieldsEntry
	if w.was != nil {
		before = w.was.GetManagedFields()
	}
	for _, e := range w.is.GetManagedFields() {
		if !slices.ContainsFunc(before, func(o metav1.ManagedFieldsEntry) bool { return equality.Semantic.DeepEqual(o, e) }) {
			return e.Manager
		}
	}
	return ""
}
