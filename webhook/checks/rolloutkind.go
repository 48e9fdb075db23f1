package checks

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// RolloutKind is the kind Rollout of Argo Rollouts, which makes and replaces pods as a Deployment does.
var RolloutKind = schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Rollout"}

var rolloutShape = Shape{Group: RolloutKind.Group, Version: RolloutKind.Version, Kind: RolloutKind.Kind, Resource: "rollouts",
	Template: "spec.template", Replicas: "spec.replicas", Selector: "spec.selector"}

// fromRollout reads a Rollout. A canary goes as a Deployment does, by its own surge and unavailability. Blue and green stand
// side by side, both whole. What steps and traffic routing make of that on the way is not looked at.
func fromRollout(u *unstructured.Unstructured) (Workload, error) {
	if ref, ok, _ := unstructured.NestedMap(u.Object, "spec", "workloadRef"); ok && len(ref) > 0 {
		return Workload{}, fmt.Errorf("read workload: Rollout %s takes its template from a %v (workloadRef), and is not scored itself", u.GetName(), ref["kind"])
	}
	w, err := rolloutShape.read(u)
	if err != nil {
		return Workload{}, err
	}
	w.Paused, _, _ = unstructured.NestedBool(u.Object, "spec", "paused")
	w.Revision = u.GetAnnotations()["rollout.argoproj.io/revision"]
	if _, blueGreen, _ := unstructured.NestedMap(u.Object, "spec", "strategy", "blueGreen"); blueGreen {
		w.MaxSurge = w.Replicas
		return w, nil
	}
	w.MaxSurge = resolve(numberAt(u, "spec", "strategy", "canary", "maxSurge"), "25%", w.Replicas, true)
	w.MaxUnavailable = resolve(numberAt(u, "spec", "strategy", "canary", "maxUnavailable"), "25%", w.Replicas, false)
	if w.MaxSurge == 0 && w.MaxUnavailable == 0 {
		w.MaxUnavailable = 1
	}
	w.MaxUnavailable = min(w.MaxUnavailable, w.Replicas)
	return w, nil
}

// numberAt is a number or a percentage, nil where there is neither.
func numberAt(u *unstructured.Unstructured, path ...string) *intstr.IntOrString {
	v, ok, err := unstructured.NestedFieldNoCopy(u.Object, path...)
	if !ok || err != nil {
		return nil
	}
	var n intstr.IntOrString
	switch v := v.(type) {
	case string:
		n = intstr.FromString(v)
	case int64:
		n = intstr.FromInt32(bounded(v))
	default:
		return nil
	}
	return &n
}

// bounded is a number of pods that fits everywhere.
func bounded(n int64) int32 { return int32(max(0, min(n, 1<<30))) }
