package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func TestRequests(t *testing.T) {
	bare := func(r *Rollout) { app(r).Resources = corev1.ResourceRequirements{} }
	defaults := func(item corev1.LimitRangeItem) func(*Rollout) {
		return func(r *Rollout) {
			r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}}})
		}
	}
	initWith := func(policy *corev1.ContainerRestartPolicy) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "a:1", RestartPolicy: policy}}
		}
	}
	requestsCheck.tell(t, []tale{
		{name: "both requests are there"},
		{name: "nothing is requested", change: bare, points: 15, text: "app (cpu, memory)"},
		{name: "memory is missing", points: 15, text: "app (memory)", change: func(r *Rollout) {
			app(r).Resources.Requests = list("cpu", "1")
		}},
		{name: "limits stand in for requests", change: func(r *Rollout) {
			app(r).Resources = corev1.ResourceRequirements{Limits: list("cpu", "1", "memory", "1Gi")}
		}},
		{name: "a request of zero is none", points: 15, text: "app (cpu)", change: func(r *Rollout) {
			app(r).Resources.Requests = list("cpu", "0", "memory", "1Gi")
		}},
		{name: "LimitRange defaults count", change: steps(bare, defaults(corev1.LimitRangeItem{
			Type: corev1.LimitTypeContainer, DefaultRequest: list("cpu", "100m", "memory", "64Mi")}))},
		{name: "a LimitRange's default limits count", change: steps(bare, defaults(corev1.LimitRangeItem{
			Type: corev1.LimitTypeContainer, Default: list("cpu", "100m", "memory", "64Mi")}))},
		{name: "a LimitRange of pods gives no defaults", points: 15, change: steps(bare, defaults(corev1.LimitRangeItem{
			Type: corev1.LimitTypePod, Max: list("cpu", "4", "memory", "4Gi")}))},
		{name: "requests of the whole pod count", change: steps(bare, func(r *Rollout) {
			r.New.Template.Spec.Resources = &corev1.ResourceRequirements{Requests: list("cpu", "1", "memory", "1Gi")}
		})},
		{name: "an init container that ends is left alone", change: initWith(nil)},
		{name: "a sidecar is not", change: initWith(ptr(corev1.ContainerRestartPolicyAlways)), points: 15, text: "first (cpu, memory)"},
		{name: "unknown LimitRanges may hold the defaults", unknown: "LimitRanges: forbidden", change: steps(bare, func(r *Rollout) {
			r.World.LimitRanges = gate.Unknown[[]corev1.LimitRange]("forbidden")
		})},
		{name: "unknown LimitRanges matter not where all is said", change: func(r *Rollout) {
			r.World.LimitRanges = gate.Unknown[[]corev1.LimitRange]("forbidden")
		}},
	})
}
