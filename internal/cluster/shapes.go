package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// AnnotationAsksAlso on the registration lists the kinds, as widgets.example.com with commas between them, that the webhook may
// ask about beside those that Moorgate knows. The fence moorgate-webhook reads it; only an installer writes it.
const AnnotationAsksAlso = "moorgate.dev/asks-also"

// alsoAsked is what of a registration says that these are asked about too, and the right of the judge to read one of them.
func alsoAsked(kinds []schema.GroupResource) (annotation string, rights []*unstructured.Unstructured) {
	var names []string
	var rules []any
	for _, k := range kinds {
		names = append(names, k.String())
		rules = append(rules, map[string]any{"apiGroups": []any{k.Group}, "resources": []any{k.Resource}, "verbs": []any{"get"}})
	}
	slices.Sort(names)
	const name = "moorgate-shapes"
	meta := func() map[string]any {
		return map[string]any{"name": name, "labels": map[string]any{"app.kubernetes.io/part-of": "moorgate"}}
	}
	role := map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta(), "rules": rules}
	binding := map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta(),
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "moorgate-judge", "namespace": OwnNamespace}}}
	return strings.Join(names, ","), []*unstructured.Unstructured{{Object: role}, {Object: binding}}
}

// askAlso adds to what is installed that the gate may ask about more kinds.
func askAlso(objects []*unstructured.Unstructured, kinds []schema.GroupResource) []*unstructured.Unstructured {
	if len(kinds) == 0 {
		return objects
	}
	annotation, rights := alsoAsked(kinds)
	for _, u := range objects {
		if u.GetKind() == "ValidatingWebhookConfiguration" {
			u.SetAnnotations(map[string]string{AnnotationAsksAlso: annotation})
		}
	}
	return append(objects, rights...)
}
