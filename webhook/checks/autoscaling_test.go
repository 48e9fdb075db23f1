package checks

import (
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// scaler is an autoscaler of the Deployment web by the utilisation of a resource.
func scaler(name string, of corev1.ResourceName) autoscalingv2.HorizontalPodAutoscaler {
	h := autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: name}}
	h.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	h.Spec.MinReplicas = ptr(int32(3))
	h.Spec.Metrics = []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: of, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr(int32(70))}}}}
	return h
}

func scaledBy(all ...autoscalingv2.HorizontalPodAutoscaler) func(*Rollout) {
	return func(r *Rollout) { r.World.Autoscalers = gate.Known(all) }
}

func TestAutoscaling(t *testing.T) {
	web := scaledBy(scaler("web", "cpu"))
	changed := func(change func(*autoscalingv2.HorizontalPodAutoscaler)) func(*Rollout) {
		h := scaler("web", "cpu")
		change(&h)
		return scaledBy(h)
	}
	size := func(was, is int32) func(*Rollout) {
		return steps(update, web, func(r *Rollout) { r.Old.Replicas, r.New.Replicas = was, is })
	}
	onlyMemory := func(r *Rollout) { app(r).Resources.Requests = list("memory", "1Gi") }
	defaults := func(r *Rollout) {
		r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypeContainer, DefaultRequest: list("cpu", "100m")}}}}})
	}
	ofOne := func(container string) func(*autoscalingv2.HorizontalPodAutoscaler) {
		return func(h *autoscalingv2.HorizontalPodAutoscaler) {
			h.Spec.Metrics = []autoscalingv2.MetricSpec{{ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: "cpu", Container: container,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType}}}}
		}
	}
	keeps := func(n int32) func(*Rollout) {
		return func(r *Rollout) {
			b := policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
			b.Spec.Selector, b.Spec.MinAvailable = r.New.Selector, ptr(intstr.FromInt32(n))
			r.World.Budgets = gate.Known([]policyv1.PodDisruptionBudget{b})
		}
	}
	least := func(n int32) func(*Rollout) {
		return changed(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.MinReplicas = &n })
	}
	autoscalingCheck.tell(t, []tale{
		{name: "nobody scales it"},
		{name: "an autoscaler that can work", change: steps(update, web)},
		{name: "a size by hand", change: size(3, 5), points: 10, nature: gate.Recent, text: "replicas set from 3 to 5 by hand: HPA web will set them again"},
		{name: "zero switches the autoscaler off", change: size(3, 0)},
		{name: "and something switches it on", change: size(0, 3)},
		{name: "a size by hand of what another is for", change: steps(size(3, 5), changed(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.ScaleTargetRef.Name = "api" }))},
		{name: "another kind of the same name", change: steps(size(3, 5), changed(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.ScaleTargetRef.Kind = "StatefulSet" }))},
		{name: "another group of the same name", change: steps(size(3, 5), changed(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.ScaleTargetRef.APIVersion = "example.com/v1" }))},
		{name: "nothing to divide by", change: steps(web, onlyMemory), points: 15, text: "HPA web cannot compute cpu utilisation: container app requests no cpu"},
		{name: "a LimitRange gives what is missing", change: steps(web, onlyMemory, defaults)},
		{name: "memory is there to divide by", change: steps(scaledBy(scaler("web", "memory")), onlyMemory)},
		{name: "an autoscaler without metrics goes by CPU", change: steps(changed(func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.Metrics = nil }), onlyMemory), points: 15, text: "no cpu"},
		{name: "a plain amount divides by nothing", change: steps(changed(func(h *autoscalingv2.HorizontalPodAutoscaler) {
			h.Spec.Metrics[0].Resource.Target = autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType}
		}), onlyMemory)},
		{name: "one container is measured, and lacks it", change: steps(changed(ofOne("app")), onlyMemory), points: 15, text: "container app requests no cpu"},
		{name: "another container is measured", change: steps(changed(ofOne("proxy")), onlyMemory)},
		{name: "the pod as a whole requests it", change: steps(web, onlyMemory, func(r *Rollout) {
			r.New.Template.Spec.Resources = &corev1.ResourceRequirements{Requests: list("cpu", "1")}
		})},
		{name: "two of them", change: scaledBy(scaler("web", "cpu"), scaler("api", "memory")), points: 15, text: "2 HPAs set its size against each other: api, web"},
		{name: "a budget keeps all of the smallest size", change: steps(least(2), keeps(2)), points: 10, text: "HPA web goes down to 2 pods, of which budget web keeps all"},
		{name: "a budget keeps all but one of it", change: steps(least(2), keeps(1))},
		{name: "a budget that keeps all now is told elsewhere", change: steps(least(2), keeps(3))},
		{name: "unknown autoscalers", change: func(r *Rollout) {
			r.World.Autoscalers = gate.Unknown[[]autoscalingv2.HorizontalPodAutoscaler]("forbidden")
		}, unknown: "HorizontalPodAutoscalers: forbidden"},
		{name: "a DaemonSet has no size", change: func(r *Rollout) {
			r.New.Ref.Kind, r.World.Autoscalers = "DaemonSet", gate.Fact[[]autoscalingv2.HorizontalPodAutoscaler]{}
		}},
		{name: "unknown budgets matter where something scales", change: steps(web, func(r *Rollout) {
			r.World.Budgets = gate.Unknown[[]policyv1.PodDisruptionBudget]("forbidden")
		}), unknown: "PodDisruptionBudgets: forbidden"},
		{name: "unknown LimitRanges matter where a request is missing", change: steps(web, onlyMemory, func(r *Rollout) {
			r.World.LimitRanges = gate.Unknown[[]corev1.LimitRange]("forbidden")
		}), unknown: "LimitRanges: forbidden"},
	})
}

func TestVerticalAutoscaling(t *testing.T) {
	vertical := func(change func(*VerticalAutoscaler)) func(*Rollout) {
		return func(r *Rollout) {
			v := VerticalAutoscaler{Name: "up", APIVersion: "apps/v1", Kind: "Deployment", Workload: "web"}
			change(&v)
			r.World.VerticalAutoscalers = gate.Known([]VerticalAutoscaler{v})
		}
	}
	mode := func(m string) func(*Rollout) { return vertical(func(v *VerticalAutoscaler) { v.Mode = m }) }
	policy := func(all ...VerticalPolicy) func(*Rollout) {
		return vertical(func(v *VerticalAutoscaler) { v.Containers = all })
	}
	web := scaledBy(scaler("web", "cpu"))
	most := func(memory string) func(*Rollout) {
		return func(r *Rollout) {
			r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, Max: list("memory", memory)}}}}})
		}
	}
	floor := policy(VerticalPolicy{Container: "*", Least: list("memory", "2Gi")})
	autoscalingCheck.tell(t, []tale{
		{name: "a vertical one alone", change: mode("Auto")},
		{name: "both by CPU", change: steps(web, mode("Auto")), points: 15, text: "VPA up changes the cpu requests that HPA web divides by"},
		{name: "a mode that is left out acts", change: steps(web, mode("")), points: 15},
		{name: "one that only recommends", change: steps(web, mode("Off"))},
		{name: "one that leaves running pods alone", change: steps(web, mode("Initial"))},
		{name: "one that leaves CPU alone", change: steps(web, policy(VerticalPolicy{Container: "*", Resources: []corev1.ResourceName{"memory"}}))},
		{name: "one that leaves the container alone", change: steps(web, policy(VerticalPolicy{Container: "*"}, VerticalPolicy{Container: "app", Off: true}))},
		{name: "one of another workload", change: steps(web, vertical(func(v *VerticalAutoscaler) { v.Workload = "api" }))},
		{name: "more than a LimitRange allows", change: steps(floor, most("1Gi")), points: 10, text: "VPA up gives app at least 2Gi of memory, a LimitRange allows 1Gi"},
		{name: "as much as it allows", change: steps(floor, most("2Gi"))},
		{name: "for a DaemonSet too", change: steps(floor, most("1Gi"), func(r *Rollout) {
			r.New.Ref.Kind = "DaemonSet"
			all, _ := r.World.VerticalAutoscalers.Get()
			all[0].Kind = "DaemonSet"
		}), points: 10, text: "a LimitRange allows 1Gi"},
		{name: "unknown vertical autoscalers", change: func(r *Rollout) {
			r.World.VerticalAutoscalers = gate.Unknown[[]VerticalAutoscaler]("nobody has looked")
		}, unknown: "VerticalPodAutoscalers: nobody has looked"},
	})
}
