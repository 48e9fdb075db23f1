package checks

import (
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

func TestBudget(t *testing.T) {
	budget := func(name, app, least, most string, expected int32) func(*Rollout) {
		b := policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: expected},
			Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}}
		if least != "" {
			b.Spec.MinAvailable = ptr(intstr.Parse(least))
		}
		if most != "" {
			b.Spec.MaxUnavailable = ptr(intstr.Parse(most))
		}
		return func(r *Rollout) {
			all, _ := r.World.Budgets.Get()
			r.World.Budgets = gate.Known(append(all, b))
		}
	}
	replicas := func(n int32) func(*Rollout) { return func(r *Rollout) { r.New.Replicas = n } }
	budgetCheck.tell(t, []tale{
		{name: "no budget forbids nothing"},
		{name: "one of three may go", change: budget("b", "web", "2", "", 0)},
		{name: "all of three must stay", change: budget("b", "web", "3", "", 0), points: 15, text: "budget b wants 3 of 3 pods available"},
		{name: "all of them must stay", change: budget("b", "web", "100%", "", 0), points: 15, text: "100%"},
		{name: "percentages are rounded up", change: steps(replicas(5), budget("b", "web", "90%", "", 0)), points: 15},
		{name: "none may go", change: budget("b", "web", "", "0", 0), points: 15, text: "maxUnavailable 0"},
		{name: "no percentage may go", change: budget("b", "web", "", "0%", 0), points: 15},
		{name: "a small percentage is rounded up to one", change: budget("b", "web", "", "1%", 0)},
		{name: "the only replica must stay", change: steps(replicas(1), budget("b", "web", "1", "", 0)), points: 15},
		{name: "a budget of others", change: budget("b", "api", "", "0", 0)},
		{name: "pods of others in the same budget leave room", change: steps(update, budget("b", "web", "3", "", 5))},
		{name: "a workload that shrinks into its budget", change: steps(update, replicas(2), budget("b", "web", "2", "", 3)), points: 15},
		{name: "two budgets on the same pods", change: steps(budget("a", "web", "1", "", 0), budget("b", "web", "", "1", 0)), points: 15, text: "2 budgets select the same pods, so none can be evicted: a, b"},
		{name: "no replicas can be disrupted", change: steps(replicas(0), budget("b", "web", "", "0", 0))},
		{name: "draining skips a DaemonSet", change: steps(kind("DaemonSet"), budget("b", "web", "", "0", 0))},
		{name: "unknown budgets", unknown: "PodDisruptionBudgets: forbidden", change: func(r *Rollout) {
			r.World.Budgets = gate.Unknown[[]policyv1.PodDisruptionBudget]("forbidden")
		}},
	})
}
