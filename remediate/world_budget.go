package remediate

import (
	"context"
	"fmt"

	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// budget reads what a disruption budget asks for.
func (e eye) budget(ctx context.Context, w *causes.World) error {
	ref := w.Stuck()[0].Ref
	var b policyv1.PodDisruptionBudget
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &b); err != nil {
		return ignored(err)
	}
	fact := causes.Budget{Pods: b.Status.ExpectedPods, Healthy: b.Status.DesiredHealthy}
	switch most, least := b.Spec.MaxUnavailable, b.Spec.MinAvailable; {
	case most != nil:
		fact.Rule = "maxUnavailable " + gate.OneLine(most.String(), maxField)
		fact.Never = most.String() == "0" || most.String() == "0%"
	case least != nil:
		fact.Rule = "minAvailable " + gate.OneLine(least.String(), maxField)
		fact.Never = least.String() == "100%"
	default:
		fact.Rule = "nothing, which is minAvailable 1"
	}
	w.Budget = &fact
	beheld(w, causes.EvidenceBudget, "PodDisruptionBudget/"+b.Name, fmt.Sprintf("%s of %d pods: %d have to be healthy", fact.Rule, fact.Pods, fact.Healthy), nil)
	return nil
}
