package webhook

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// together adds the files' objects of a kind to the cluster's, in the place of those with the same names.
func together[T any, P interface {
	*T
	client.Object
}](f *Files, kind schema.GroupVersionKind, ns string, live gate.Fact[[]T]) gate.Fact[[]T] {
	all, known := live.Get()
	if !known {
		return live
	}
	files := map[string]P{}
	for _, o := range f.byKind[kind] {
		if t, ok := o.(P); ok && o.GetNamespace() == ns {
			files[o.GetName()] = t
		}
	}
	merged := make([]T, 0, len(all)+len(files))
	for i := range all {
		if _, replaced := files[P(&all[i]).GetName()]; !replaced {
			merged = append(merged, all[i])
		}
	}
	for _, n := range slices.Sorted(maps.Keys(files)) {
		merged = append(merged, *files[n])
	}
	return gate.Known(merged)
}

// togetherRead does the same where objects of an optional kind were read into something smaller.
func togetherRead[T any](f *Files, kind schema.GroupVersionKind, ns string, live gate.Fact[[]T],
	read func(*unstructured.Unstructured) (T, error), called func(T) string) gate.Fact[[]T] {
	all, known := live.Get()
	if !known {
		return live
	}
	merged := slices.Clone(all)
	for _, o := range f.byKind[kind] {
		u, ok := o.(*unstructured.Unstructured)
		if !ok || o.GetNamespace() != ns {
			continue
		}
		one, err := read(u)
		if err != nil {
			return gate.Unknown[[]T](because(err))
		}
		merged = append(slices.DeleteFunc(merged, func(t T) bool { return called(t) == called(one) }), one)
	}
	return gate.Known(merged)
}

// completeKeys adds the keys of the ConfigMaps in the files. What the cluster holds beyond them may be somebody else's, and stays.
func (f *Files) completeKeys(r *checks.Rollout) {
	if r.World.ConfigMapKeys == nil {
		return // nobody looked
	}
	for k := range checks.ReferencesOf(r.Old, r.New).Keys {
		for _, o := range f.byKind[configMapKind] {
			m, ok := o.(*corev1.ConfigMap)
			if !ok || m.Name != k.ConfigMap || m.Namespace != r.New.Ref.Namespace {
				continue
			}
			if _, asked := r.World.ConfigMapKeys[k]; !asked || hasKey(m, k.Name) {
				r.World.ConfigMapKeys[k] = gate.Known(hasKey(m, k.Name))
			}
		}
	}
}
