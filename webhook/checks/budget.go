package checks

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// The law: a disruption budget should leave room for a disruption, or nodes can never be drained: minAvailable that covers
// every pod, or maxUnavailable of zero. Percentages are rounded up, as the disruption controller does, so that 90 % of
// five is five. A budget that also selects pods of others counts those too. More than one budget on the same pods means
// that the API server refuses every eviction of them.
//
// A DaemonSet is left alone, since draining skips its pods; so are a workload without replicas, and Jobs, CronJobs and bare
// Pods, which end or stand alone.
var budgetCheck = Check{
	ID: "disruption-budget", Title: "Disruption budgets allow a disruption", Points: pointsBudget, Nature: gate.Lasting,
	Law:  "No PodDisruptionBudget that selects the pods forbids every disruption of them, and no two select the same pods.",
	look: lookBudget,
}

func lookBudget(r Rollout) Result {
	if r.New.Replicas == 0 || r.New.Once || r.New.Ref.Kind == "DaemonSet" {
		return Result{}
	}
	budgets, known := r.World.Budgets.Get()
	if !known {
		return Result{Unknown: []string{unread("PodDisruptionBudgets", r.World.Budgets)}}
	}
	var out Result
	var selecting []string
	cites := []string{EvidenceWorkload, EvidenceBudgets}
	for i := range budgets {
		b := &budgets[i]
		if !selects(b.Spec.Selector, r.New.Template.Labels) {
			continue
		}
		selecting = append(selecting, b.Name)
		pods := int(covered(r, b))
		switch spec := b.Spec; {
		case spec.MaxUnavailable != nil && scaled(spec.MaxUnavailable, pods) <= 0:
			out.Findings = append(out.Findings, found(pointsBudget, gate.Lasting, cites,
				"budget %s has maxUnavailable %s: no pod can ever be evicted", name(b.Name), name(spec.MaxUnavailable.String())))
		case spec.MaxUnavailable == nil && spec.MinAvailable != nil && scaled(spec.MinAvailable, pods) >= pods:
			out.Findings = append(out.Findings, found(pointsBudget, gate.Lasting, cites,
				"budget %s wants %s of %s available: no pod can ever be evicted", name(b.Name), name(spec.MinAvailable.String()),
				plural(pods, "pod")))
		}
	}
	if len(selecting) > 1 {
		out.Findings = append(out.Findings, found(pointsBudget, gate.Lasting, cites,
			"%d budgets select the same pods, so none can be evicted: %s", len(selecting), names(selecting)))
	}
	return out
}

// covered is how many pods the budget will expect: this workload's, and what it expects already beyond this workload.
func covered(r Rollout, b *policyv1.PodDisruptionBudget) int32 {
	before := int32(0)
	if r.Old != nil && selects(b.Spec.Selector, r.Old.Template.Labels) {
		before = r.Old.Replicas
	}
	return r.New.Replicas + max(0, b.Status.ExpectedPods-before)
}

func scaled(v *intstr.IntOrString, of int) int {
	n, err := intstr.GetScaledValueFromIntOrPercent(v, of, true)
	if err != nil {
		return 1 // the API server refuses it, so it forbids nothing
	}
	return n
}
