package checks

import (
	"fmt"
	"strconv"

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
	w.Status = rolloutStatus(u, w.Replicas)
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

// rolloutStatus reads how far the controller is. It writes the generation that it has seen as text.
func rolloutStatus(u *unstructured.Unstructured, replicas int32) Status {
	count := func(field string) int32 {
		n, _, _ := unstructured.NestedInt64(u.Object, "status", field)
		return bounded(n)
	}
	seen, _, _ := unstructured.NestedString(u.Object, "status", "observedGeneration")
	s := Status{Observed: u.GetGeneration() == 0 || seen == strconv.FormatInt(u.GetGeneration(), 10), Desired: replicas, Ready: count("readyReplicas"),
		Available: count("availableReplicas"), Updated: count("updatedReplicas"), Outdated: max(0, count("replicas")-count("updatedReplicas"))}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		reason, _ := condition["reason"].(string)
		message, _ := condition["message"].(string)
		if condition["type"] == "Progressing" && condition["status"] == "False" && (reason == "ProgressDeadlineExceeded" || reason == "RolloutAborted") {
			s.Stuck = reason + ": " + message
		}
	}
	return s
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
