package webhook

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Slim takes out of an object, before a cache keeps it, what nobody here may know: of ConfigMaps all but their names and the names
// of their keys, of the objects of GitOps tools all but what a check looks at. Annotations go too: kubectl keeps a whole copy of
// what was applied in one. Everything else is returned as it is.
func Slim(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.ConfigMap:
		return keysOf(o), nil
	case *unstructured.Unstructured:
		if kept, ok := lookedAt[o.GroupVersionKind()]; ok {
			return fieldsOf(o, kept), nil
		}
	}
	return obj, nil
}

// keysOf is a ConfigMap with all of its keys and no value.
func keysOf(m *corev1.ConfigMap) *corev1.ConfigMap {
	keys := make(map[string]string, len(m.Data)+len(m.BinaryData))
	for k := range m.Data {
		keys[k] = ""
	}
	for k := range m.BinaryData {
		keys[k] = ""
	}
	return &corev1.ConfigMap{Data: keys, ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}}
}

// lookedAt are the fields of the objects of GitOps tools that a check looks at.
var lookedAt = map[schema.GroupVersionKind][][]string{
	kustomizationKind:  {{"spec", "suspend"}, {"spec", "targetNamespace"}, {"spec", "sourceRef"}, {"status", "inventory"}},
	helmReleaseKind:    {{"spec", "suspend"}, {"spec", "targetNamespace"}, {"status", "inventory"}, {"spec", "chartRef"}, {"spec", "chart", "spec", "sourceRef"}, {"spec", "driftDetection", "mode"}, {"status", "helmChart"}},
	applicationKind:    {{"spec", "syncPolicy", "automated"}, {"status", "resources"}},
	gitRepositoryKind:  {{"spec", "suspend"}},
	ociRepositoryKind:  {{"spec", "suspend"}},
	bucketKind:         {{"spec", "suspend"}},
	helmRepositoryKind: {{"spec", "suspend"}},
	helmChartKind:      {{"spec", "suspend"}},
}

// fieldsOf is an object with its name, these fields, and its conditions without their messages.
func fieldsOf(o *unstructured.Unstructured, kept [][]string) *unstructured.Unstructured {
	slim := &unstructured.Unstructured{Object: map[string]any{}}
	slim.SetGroupVersionKind(o.GroupVersionKind())
	slim.SetNamespace(o.GetNamespace())
	slim.SetName(o.GetName())
	slim.SetUID(o.GetUID())
	slim.SetResourceVersion(o.GetResourceVersion())
	slim.SetGeneration(o.GetGeneration())
	for _, at := range kept {
		if v, ok, _ := unstructured.NestedFieldCopy(o.Object, at...); ok {
			_ = unstructured.SetNestedField(slim.Object, v, at...) // there is nothing in the way but what was set here
		}
	}
	raw, _, _ := unstructured.NestedFieldNoCopy(o.Object, "status", "conditions")
	list, _ := raw.([]any)
	conditions := make([]any, 0, len(list))
	for _, c := range list {
		if one, ok := c.(map[string]any); ok {
			bare := maps.Clone(one)
			maps.DeleteFunc(bare, func(k string, _ any) bool {
				return !slices.Contains([]string{"type", "status", "reason", "observedGeneration"}, k)
			})
			conditions = append(conditions, bare)
		}
	}
	_ = unstructured.SetNestedSlice(slim.Object, conditions, "status", "conditions")
	return slim
}
