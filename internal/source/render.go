package source

import (
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// Renderer makes the objects of one root out of a repository's files, which are keyed by their paths from the
// repository's root. It changes neither the files nor anything else, answers the same for the same files, and bounds its
// own time: an error says that these files make no objects.
type Renderer func(files map[string][]byte) ([]*unstructured.Unstructured, error)

// Plain is the Renderer of manifests that are written out. Objects that name no namespace are of the given one.
func Plain(namespace string) Renderer {
	return func(files map[string][]byte) ([]*unstructured.Unstructured, error) {
		read, err := Read(files, Wanted{Namespace: namespace})
		if err != nil {
			return nil, err
		}
		objects := make([]*unstructured.Unstructured, len(read))
		for i, o := range read {
			o.Desired.SetNamespace(o.Namespace)
			objects[i] = o.Desired
		}
		return objects, nil
	}
}

// rendered are the objects of one root, as JSON has them.
type rendered map[Name]any

// render calls a Renderer. What it panics on are files that make no objects, as kustomize does for some images.
func render(r Renderer, files map[string][]byte) (all rendered, err error) {
	defer func() {
		if recover() != nil {
			all, err = nil, errors.New("the renderer gave up on these files")
		}
	}()
	objects, err := r(files)
	if err != nil {
		return nil, err
	}
	all = rendered{}
	for _, u := range objects {
		content, err := normal(u.Object)
		if err != nil {
			return nil, err
		}
		n := NameOf(u)
		if _, twice := all[n]; twice {
			return nil, fmt.Errorf("%s %s is rendered twice", n.Kind, n.Name)
		}
		all[n] = content
	}
	return all, nil
}

// NameOf is the name of an object, as it is written.
func NameOf(u *unstructured.Unstructured) Name {
	group := schema.FromAPIVersionAndKind(u.GetAPIVersion(), u.GetKind()).Group
	return Name{Group: group, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// normal is a value with the Go types that JSON has in Kubernetes: renderers leave an int where an int64 is meant.
func normal(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, errors.New("it holds what JSON cannot say")
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, errors.New("it holds what JSON cannot say")
	}
	return out, nil
}

// find returns the name under which an object is rendered: a root may leave its namespace to who delivers it.
func (r rendered) find(n Name) (Name, bool) {
	for _, candidate := range []Name{n, {Group: n.Group, Kind: n.Kind, Name: n.Name}} {
		if _, found := r[candidate]; found {
			return candidate, true
		}
	}
	return Name{}, false
}

// others lists the objects other than one that differ between two renders.
func (r rendered) others(after rendered, except Name) []Name {
	var moved []Name
	for n, was := range r {
		if is, found := after[n]; n != except && (!found || !reflect.DeepEqual(was, is)) {
			moved = append(moved, n)
		}
	}
	for n := range after {
		if _, found := r[n]; !found && n != except {
			moved = append(moved, n)
		}
	}
	return moved
}
