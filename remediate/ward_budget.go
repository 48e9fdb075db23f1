package remediate

import (
	"slices"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// The law: a disruption budget that asks for as many healthy pods as there are can never allow one to be disrupted, however well all
// fare: a drain of their nodes waits forever. That is a fact of how it is configured, and told apart from a budget that allows none
// for now, because pods of it are not healthy: that one asks for fewer than there are. It has to last, because a workload that is
// scaled up passes through it. A budget that picks no pod allows none either, and nobody misses it.
var budgetWard = ward{kind: policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"), shows: []causes.Symptom{causes.DisruptionStuck},
	one: func() client.Object { return &policyv1.PodDisruptionBudget{} }, list: func() client.ObjectList { return &policyv1.PodDisruptionBudgetList{} },
	signs: func(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
		b, ok := o.(*policyv1.PodDisruptionBudget)
		if !ok || b.DeletionTimestamp != nil || b.Status.ObservedGeneration < b.Generation {
			return nil
		}
		s := b.Status
		lasts := slices.ContainsFunc(s.Conditions, func(c metav1.Condition) bool {
			return c.Type == policyv1.DisruptionAllowedCondition && c.Status == metav1.ConditionFalse && now.Sub(c.LastTransitionTime.Time) >= patience
		})
		if !lasts || s.DisruptionsAllowed > 0 || s.ExpectedPods == 0 || s.DesiredHealthy < s.ExpectedPods {
			return nil
		}
		return []causes.Symptom{causes.DisruptionStuck}
	},
	conditions: func(o client.Object) (all []causes.Condition) {
		if b, ok := o.(*policyv1.PodDisruptionBudget); ok {
			for _, c := range b.Status.Conditions {
				all = append(all, condition(c.Type, string(c.Status), c.Reason, c.LastTransitionTime))
			}
		}
		return all
	}}
