package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func TestLimitRange(t *testing.T) {
	limited := func(items ...corev1.LimitRangeItem) func(*Rollout) {
		return func(r *Rollout) {
			l := corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: items}}
			l.Name = "bounds"
			all, _ := r.World.LimitRanges.Get()
			r.World.LimitRanges = gate.Known(append(all, l))
		}
	}
	container, whole := corev1.LimitTypeContainer, corev1.LimitTypePod
	least := func(kind corev1.LimitType, cpu string) corev1.LimitRangeItem {
		return corev1.LimitRangeItem{Type: kind, Min: list("cpu", cpu)}
	}
	most := func(kind corev1.LimitType, cpu string) corev1.LimitRangeItem {
		return corev1.LimitRangeItem{Type: kind, Max: list("cpu", cpu)}
	}
	ratio := func(n string) corev1.LimitRangeItem {
		return corev1.LimitRangeItem{Type: container, MaxLimitRequestRatio: list("cpu", n)}
	}
	limit := func(cpu string) func(*Rollout) {
		return func(r *Rollout) { app(r).Resources.Limits = list("cpu", cpu) }
	}
	second := func(r *Rollout) {
		r.New.Template.Spec.Containers = append(r.New.Template.Spec.Containers, corev1.Container{Name: "b", Resources: corev1.ResourceRequirements{Requests: list("cpu", "1"), Limits: list("cpu", "1")}})
	}
	first := func(r *Rollout) {
		r.New.Template.Spec.InitContainers = []corev1.Container{{Name: "i", Resources: corev1.ResourceRequirements{Requests: list("cpu", "3"), Limits: list("cpu", "3")}}}
	}
	rangeCheck.tell(t, []tale{
		{name: "there is no LimitRange"},
		{name: "a request at the minimum", change: limited(least(container, "1"))},
		{name: "a request below the minimum", change: limited(least(container, "1001m")), points: 35, text: "LimitRange bounds refuses the pods: app requests 1 cpu, less than 1001m"},
		{name: "a minimum is the default of a request", change: steps(limited(least(container, "2")), func(r *Rollout) { app(r).Resources = corev1.ResourceRequirements{} })},
		{name: "a limit at the maximum", change: steps(limit("2"), limited(most(container, "2")))},
		{name: "a limit above the maximum", change: steps(limit("2"), limited(most(container, "1999m"))), points: 35, text: "app is limited to 2 cpu, more than 1999m"},
		{name: "a request above the maximum that stands in for the limit", change: limited(most(container, "500m")), points: 35, text: "requests 1 cpu, more than 500m"},
		{name: "a maximum is the default of a limit", change: limited(most(container, "2"))},
		{name: "the default of one LimitRange breaks another", points: 35, text: "app is limited to 4 cpu, more than 2",
			change: steps(limited(corev1.LimitRangeItem{Type: container, Default: list("cpu", "4")}), limited(most(container, "2")))},
		{name: "a ratio just kept", change: steps(limit("3"), limited(ratio("3")))},
		{name: "a ratio just broken", change: steps(limit("3"), limited(ratio("2900m"))), points: 35, text: "a limit of 3 cpu over a request of 1, more than 2900m times"},
		{name: "a ratio of no limit", change: limited(ratio("3")), points: 35, text: "lacks a request or a limit of cpu"},
		{name: "an init container counts as a container", change: steps(first, limit("1"), limited(most(container, "2"))), points: 35, text: "i is limited to 3 cpu"},
		{name: "two containers within the maximum of a pod", change: steps(limit("1"), second, limited(most(whole, "2")))},
		{name: "two containers beyond it", change: steps(limit("1"), second, limited(most(whole, "1500m"))), points: 35, text: "the pod is limited to 2 cpu, more than 1500m"},
		{name: "init containers come one after the other", change: steps(first, limit("1"), second, limited(most(whole, "3")))},
		{name: "no limit in the whole pod", change: limited(most(whole, "2")), points: 35, text: "the pod has no limit of cpu"},
		{name: "bounds of claims are no bounds of pods", change: limited(most(corev1.LimitTypePersistentVolumeClaim, "500m"))},
		{name: "no replicas make no pods", change: steps(limited(least(container, "2")), func(r *Rollout) { r.New.Replicas = 0 })},
		{name: "unknown LimitRanges", change: func(r *Rollout) { r.World.LimitRanges = gate.Unknown[[]corev1.LimitRange]("forbidden") }, unknown: "LimitRanges: forbidden"},
	})
}
