package witness

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
)

// fieldsMost is how many fields of one write are looked at again to see whether it was put back.
const fieldsMost = 256

var noKind schema.GroupVersionKind

// mark is a keyed hash of a value. The zero mark is that of a field that is not there.
type mark [sha256.Size]byte

// field is one field that a write changed, with the mark of its value before.
type field struct {
	path source.Path
	was  mark
}

// marker makes marks.
type marker struct{ key []byte }

func (m marker) of(p source.Path, value any, there bool) mark {
	if !there {
		return mark{}
	}
	h := hmac.New(sha256.New, m.key)
	_, _ = h.Write([]byte(p.String() + "\x00"))
	b, err := json.Marshal(value)
	if err != nil {
		return mark{}
	}
	_, _ = h.Write(b)
	return mark(h.Sum(nil))
}

// tree is what an object says as far as people set it: without status, and without what the API server and controllers keep in its
// metadata.
func tree(o client.Object) map[string]any {
	t, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil
	}
	delete(t, "status")
	delete(t, "apiVersion")
	delete(t, "kind")
	metadata, _ := t["metadata"].(map[string]any)
	for name := range metadata {
		if !slices.Contains([]string{"labels", "annotations", "finalizers", "ownerReferences"}, name) {
			delete(metadata, name)
		}
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	for name := range annotations {
		if name == "kubectl.kubernetes.io/last-applied-configuration" || name == "deployment.kubernetes.io/revision" || strings.HasPrefix(name, "moorgate.dev/") {
			delete(annotations, name)
		}
	}
	return t
}

// differences are the fields in which two trees differ, in a stable order. A list whose items have names is compared item by item,
// any other as a whole; what is there on one side only is one field, however much is below it.
func differences(m marker, at source.Path, was, is any) []field {
	if equality.Semantic.DeepEqual(was, is) {
		return nil
	}
	before, after, open := parts(was, is)
	if !open {
		return []field{{at, m.of(at, was, true)}}
	}
	var found []field
	for _, key := range keysOf(before, after) {
		down := append(slices.Clone(at), step(before, key))
		x, hadX := before.at[key]
		y, hasY := after.at[key]
		if hadX && hasY {
			found = append(found, differences(m, down, x, y)...)
			continue
		}
		found = append(found, field{down, m.of(down, x, hadX)})
	}
	return found
}

// branch is a map, or a list whose items have names, by the names.
type branch struct {
	list bool
	at   map[string]any
}

func parts(a, b any) (x, y branch, open bool) {
	x, openX := branchOf(a)
	y, openY := branchOf(b)
	return x, y, openX && openY && x.list == y.list
}

func branchOf(v any) (branch, bool) {
	switch t := v.(type) {
	case map[string]any:
		return branch{at: t}, true
	case []any:
		b := branch{list: true, at: make(map[string]any, len(t))}
		for _, item := range t {
			m, _ := item.(map[string]any)
			name, _ := m["name"].(string)
			if _, twice := b.at[name]; name == "" || twice {
				return branch{}, false
			}
			b.at[name] = item
		}
		return b, len(t) > 0
	}
	return branch{}, false
}

func keysOf(a, b branch) []string {
	var keys []string
	for key := range a.at {
		keys = append(keys, key)
	}
	for key := range b.at {
		if _, both := a.at[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func step(b branch, key string) source.Step {
	if b.list {
		return source.Step{Keys: []source.Key{{Name: "name", Value: key}}}
	}
	return source.Step{Field: key}
}

// lookup is the value at a path that differences made.
func lookup(v any, p source.Path) (any, bool) {
	for _, s := range p {
		b, open := branchOf(v)
		key := s.Field
		if len(s.Keys) > 0 {
			key, _ = s.Keys[0].Value.(string)
		}
		if !open || b.list != (len(s.Keys) > 0) {
			return nil, false
		}
		if v, open = b.at[key]; !open {
			return nil, false
		}
	}
	return v, true
}

// restored reports whether all fields of an object are again what they were before.
func restored(m marker, fields []field, o client.Object) bool {
	t := tree(o)
	return len(fields) > 0 && !slices.ContainsFunc(fields, func(f field) bool {
		v, there := lookup(t, f.path)
		return m.of(f.path, v, there) != f.was
	})
}

// replicasOf is how many replicas an object asks for, where it can be scaled.
func replicasOf(o client.Object) (int32, bool) {
	var n *int32
	switch o := o.(type) {
	case *appsv1.Deployment:
		n = o.Spec.Replicas
	case *appsv1.StatefulSet:
		n = o.Spec.Replicas
	}
	if n == nil {
		return 0, false
	}
	return *n, true
}
