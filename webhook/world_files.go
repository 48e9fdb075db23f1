package webhook

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

var errOffline = errors.New("unknown offline")

// Files is a Reader over objects from files, for reviews without a cluster. What is in the files is there; of what is not
// there nothing is known, for the cluster may well hold it: no answer is ever "not found".
type Files struct {
	byKind map[schema.GroupVersionKind][]client.Object
}

// NewFiles returns Files over the objects. Those without a namespace are taken to be in the given one.
func NewFiles(namespace string, objects ...client.Object) (*Files, error) {
	f := &Files{byKind: map[schema.GroupVersionKind][]client.Object{}}
	for _, o := range objects {
		o, err := typed(o)
		if err != nil {
			return nil, err
		}
		kind, err := apiutil.GVKForObject(o, scheme.Scheme)
		if err != nil {
			return nil, fmt.Errorf("read %s from the files: %w", o.GetName(), err)
		}
		if o.GetNamespace() == "" {
			o.SetNamespace(namespace)
		}
		f.byKind[kind] = append(f.byKind[kind], o)
	}
	return f, nil
}

// typed returns a copy of the object in its Go type, where it has one.
func typed(o client.Object) (client.Object, error) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		copied, ok := o.DeepCopyObject().(client.Object)
		if !ok {
			return nil, fmt.Errorf("read %s from the files: %T is no object", o.GetName(), o)
		}
		return copied, nil
	}
	made, err := scheme.Scheme.New(u.GroupVersionKind())
	if err != nil {
		return u.DeepCopy(), nil // a kind that no check asks for
	}
	into, ok := made.(client.Object)
	if !ok {
		return nil, fmt.Errorf("read %s from the files: %T is no object", o.GetName(), made)
	}
	return into, cluster.Into(u, into)
}

// Get answers with the object of that name in the files.
func (f *Files) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	kind, err := apiutil.GVKForObject(into, scheme.Scheme)
	if err != nil {
		return fmt.Errorf("get %s from the files: %w", key, err)
	}
	for _, o := range f.byKind[kind] {
		if o.GetName() != key.Name || key.Namespace != "" && o.GetNamespace() != key.Namespace {
			continue
		}
		if m, ok := into.(*metav1.PartialObjectMetadata); ok {
			copyMeta(o, m)
			return nil
		}
		from, to := reflect.ValueOf(o.DeepCopyObject()), reflect.ValueOf(into)
		if from.Type() != to.Type() {
			return fmt.Errorf("get %s from the files: it is %T, not %T", key, o, into)
		}
		to.Elem().Set(from.Elem())
		return nil
	}
	return errOffline
}

// List answers with the objects of the kind in the files, if there are any.
func (f *Files) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	listKind, err := apiutil.GVKForObject(into, scheme.Scheme)
	if err != nil {
		return fmt.Errorf("list from the files: %w", err)
	}
	kind := listKind.GroupVersion().WithKind(listKind.Kind[:max(0, len(listKind.Kind)-len("List"))])
	if len(f.byKind[kind]) == 0 {
		return errOffline
	}
	var options client.ListOptions
	options.ApplyOptions(opts)
	_, metaOnly := into.(*metav1.PartialObjectMetadataList)
	var items []runtime.Object
	for _, o := range f.byKind[kind] {
		if options.Namespace != "" && o.GetNamespace() != options.Namespace {
			continue
		}
		item := o.DeepCopyObject()
		if metaOnly {
			m := &metav1.PartialObjectMetadata{}
			copyMeta(o, m)
			item = m
		}
		items = append(items, item)
	}
	if err := meta.SetList(into, items); err != nil {
		return fmt.Errorf("list %s from the files: %w", kind.Kind, err)
	}
	return nil
}

// copyMeta copies what a check may ask of an object whose content it must not see.
func copyMeta(o client.Object, into *metav1.PartialObjectMetadata) {
	into.Name, into.Namespace = o.GetName(), o.GetNamespace()
	into.Labels, into.Annotations = o.GetLabels(), o.GetAnnotations()
}

// Exists reports that a Secret of that name is in the files, or that nothing is known of it.
func (f *Files) Exists(namespace, name string) gate.Fact[bool] {
	for _, o := range f.byKind[secretKind] {
		if o.GetName() == name && o.GetNamespace() == namespace {
			return gate.Known(true)
		}
	}
	return gate.Unknown[bool](errOffline.Error())
}
