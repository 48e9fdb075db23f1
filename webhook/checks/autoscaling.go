package checks

import (
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/gate"
)

// The law: where an autoscaler sets the size, nothing else does, and it can work. Replicas that a change sets by hand are set
// again by the autoscaler; two of them pull at the same size; one that goes by the utilisation of CPU or memory needs a
// request of every container to divide by, and does nothing without; one that goes down to so few pods that a disruption
// budget keeps them all leaves no node that can be drained. A vertical autoscaler that changes the very requests which a
// horizontal one divides by works against it, and one that may not go as low as the namespace allows asks for what no pod
// may have.
//
// Setting a size by hand is recent, not lasting: the brake is never refused, and zero, which switches an autoscaler off, and
// coming back from it are left alone. DaemonSets have no size. Whether a quota or the nodes hold the most pods is not asked.
var autoscalingCheck = Check{
	ID: "autoscaling", Title: "Autoscalers can do their work", Points: pointsNoMetric, Nature: gate.Lasting,
	Law:  "One autoscaler at most sets the size, nobody else does, every container requests what it measures, and its smallest size leaves room for a disruption. No vertical autoscaler works against it or asks for more than a LimitRange allows.",
	look: lookAutoscaling,
}

func lookAutoscaling(r Rollout) Result {
	var out Result
	var scalers []*autoscalingv2.HorizontalPodAutoscaler
	if r.New.Ref.Kind != "DaemonSet" {
		all, known := r.World.Autoscalers.Get()
		if !known {
			out.Unknown = append(out.Unknown, unread("HorizontalPodAutoscalers", r.World.Autoscalers))
		}
		for i := range all {
			if t := all[i].Spec.ScaleTargetRef; targets(r.New.Ref, t.APIVersion, t.Kind, t.Name) {
				scalers = append(scalers, &all[i])
			}
		}
	}
	slices.SortFunc(scalers, byScalerName)
	lookSizeByHand(r, scalers, &out)
	lookMetrics(r, scalers, &out)
	lookSmallest(r, scalers, &out)
	lookVertical(r, scalers, &out)
	return out
}

// Autoscaled is whether an autoscaler sets the size of the workload, so that a change of it is not its author's. What is not known
// is taken for none.
func Autoscaled(r Rollout) bool {
	all, _ := r.World.Autoscalers.Get()
	return slices.ContainsFunc(all, func(a autoscalingv2.HorizontalPodAutoscaler) bool {
		t := a.Spec.ScaleTargetRef
		return targets(r.New.Ref, t.APIVersion, t.Kind, t.Name)
	})
}

// targets reports whether a reference of an autoscaler means this workload. Its version does not matter.
func targets(w gate.Ref, apiVersion, kind, called string) bool {
	group, err := schema.ParseGroupVersion(apiVersion)
	return err == nil && group.Group == w.Group && kind == w.Kind && called == w.Name
}

// lookSizeByHand finds who else sets the size.
func lookSizeByHand(r Rollout, scalers []*autoscalingv2.HorizontalPodAutoscaler, out *Result) {
	cites := []string{EvidenceWorkload, EvidenceAutoscalers}
	if len(scalers) > 1 {
		var all []string
		for _, s := range scalers {
			all = append(all, s.Name)
		}
		out.Findings = append(out.Findings, found(pointsTwoScalers, gate.Lasting, cites, "%d HPAs set its size against each other: %s", len(scalers), names(all)))
	}
	if len(scalers) > 0 && r.Old != nil && r.Old.Replicas > 0 && r.New.Replicas > 0 && r.Old.Replicas != r.New.Replicas {
		out.Findings = append(out.Findings, found(pointsSizeByHand, gate.Recent, cites,
			"replicas set from %d to %d by hand: HPA %s will set them again", r.Old.Replicas, r.New.Replicas, name(scalers[0].Name)))
	}
}

// lookMetrics finds autoscalers that lack what they would divide by.
func lookMetrics(r Rollout, scalers []*autoscalingv2.HorizontalPodAutoscaler, out *Result) {
	lack := func(ranges []corev1.LimitRange, tell func(s *autoscalingv2.HorizontalPodAutoscaler, m measure, container string)) {
		pod := shape(&r.New.Template, ranges)
		for _, s := range scalers {
			for _, m := range measures(s) {
				if c := unrequested(pod, m); c != "" {
					tell(s, m, c)
				}
			}
		}
	}
	any := false
	lack(nil, func(*autoscalingv2.HorizontalPodAutoscaler, measure, string) { any = true })
	if !any {
		return
	}
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("LimitRanges", r.World.LimitRanges))
		return
	}
	lack(ranges, func(s *autoscalingv2.HorizontalPodAutoscaler, m measure, container string) {
		out.Findings = append(out.Findings, found(pointsNoMetric, gate.Lasting, []string{EvidenceWorkload, EvidenceAutoscalers, EvidenceLimitRanges},
			"HPA %s cannot compute %s utilisation: container %s requests no %s", name(s.Name), m.resource, name(container), m.resource))
	})
}

// lookSmallest finds budgets that keep every pod once the autoscaler has gone down to its smallest size. One that keeps
// them all as it is now is told by the check of budgets.
func lookSmallest(r Rollout, scalers []*autoscalingv2.HorizontalPodAutoscaler, out *Result) {
	if len(scalers) == 0 {
		return
	}
	budgets, known := r.World.Budgets.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("PodDisruptionBudgets", r.World.Budgets))
		return
	}
	small := r
	small.New.Replicas = orElse(scalers[0].Spec.MinReplicas, 1)
	if small.New.Replicas >= r.New.Replicas {
		return
	}
	for i := range budgets {
		b := &budgets[i]
		if b.Spec.MinAvailable == nil || b.Spec.MaxUnavailable != nil || !selects(b.Spec.Selector, r.New.Template.Labels) {
			continue
		}
		now, least := int(covered(r, b)), int(covered(small, b))
		if small.New.Replicas > 0 && scaled(b.Spec.MinAvailable, least) >= least && scaled(b.Spec.MinAvailable, now) < now {
			out.Findings = append(out.Findings, found(pointsSmallest, gate.Lasting, []string{EvidenceWorkload, EvidenceAutoscalers, EvidenceBudgets},
				"HPA %s goes down to %s, of which budget %s keeps all", name(scalers[0].Name), plural(int(small.New.Replicas), "pod"), name(b.Name)))
		}
	}
}
