package drift

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"

	"moorgate.dev/internal/source"
)

// folded is an object as it is kept between rounds: without Desired, which as maps takes ten times the memory of its text. It is unfolded
// where the object is looked at, and for no longer. What most rounds ask of it stands beside it.
type folded struct {
	source.Object
	as   schema.GroupVersionKind // in which Git declares it
	left string                  // the annotation by which Git says that it is to be left as it is
	text string                  // Desired as JSON; empty: it has none
}

// unwritable is why nobody knows what an object should be which no API server could be told of.
const unwritable = "what Git says of it holds what JSON cannot say"

// fold is an object as it is kept.
func fold(o source.Object) folded {
	k := folded{Object: o}
	if o.Desired == nil {
		return k
	}
	k.as, k.left, k.Desired = o.Desired.GroupVersionKind(), left(o.Desired), nil
	b, err := json.Marshal(o.Desired.Object)
	if err != nil {
		k.Unknown = unwritable
		return k
	}
	k.text = string(b)
	return k
}

// unfold is the object with what Git says of it. It is the caller's own.
func (k folded) unfold() source.Object {
	o := k.Object
	if k.text == "" {
		return o
	}
	var content map[string]any
	if err := json.Unmarshal([]byte(k.text), &content); err != nil {
		o.Unknown = unwritable
		return o
	}
	o.Desired = &unstructured.Unstructured{Object: content}
	return o
}

// find returns the object of that name.
func (t tree) find(n source.Name) (folded, bool) {
	i := slices.IndexFunc(t.objects, func(k folded) bool { return k.Name == n })
	if i < 0 {
		return folded{}, false
	}
	return t.objects[i], true
}
