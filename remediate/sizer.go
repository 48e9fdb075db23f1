package remediate

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// sizer reads whether a VerticalPodAutoscaler sets the resources of a workload of which the template may be changed: what it sets is
// never changed by anybody else. One that only recommends sets nothing. A cluster that does not know the kind has none.
func (e eye) sizer(ctx context.Context, w *causes.World) error {
	if !w.Shows() || !amendable(*w) {
		w.Sizer = gate.Unknown[string]("whether an autoscaler sizes the workload was not looked for")
		return nil
	}
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "autoscaling.k8s.io", Version: "v1", Kind: "VerticalPodAutoscalerList"})
	err := e.owners.List(ctx, &list, client.InNamespace(w.Root.Namespace))
	switch {
	case meta.IsNoMatchError(err) || apierrors.IsNotFound(err):
		w.Sizer = gate.Known("")
		return nil
	case apierrors.IsForbidden(err):
		w.Sizer = gate.Unknown[string]("whether an autoscaler sizes the workload may not be read")
		return nil
	case err != nil:
		return fmt.Errorf("list what sizes %s: %w", w.Root, err)
	}
	w.Sizer = gate.Known("")
	for i := range list.Items {
		spec := list.Items[i].Object
		kind, _, _ := unstructured.NestedString(spec, "spec", "targetRef", "kind")
		name, _, _ := unstructured.NestedString(spec, "spec", "targetRef", "name")
		mode, _, _ := unstructured.NestedString(spec, "spec", "updatePolicy", "updateMode")
		if kind == w.Root.Kind && name == w.Root.Name && mode != "Off" {
			w.Sizer = gate.Known("VerticalPodAutoscaler/" + list.Items[i].GetName())
		}
	}
	return nil
}

// amendable is whether a change of the workload's template may come onto the menu.
func amendable(w causes.World) bool {
	earlier, _ := w.Earlier.Get()
	return earlier != nil && earlier.Available > 0
}
