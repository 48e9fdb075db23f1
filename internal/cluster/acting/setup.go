package acting

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
)

// SetUp has Acts called for every change of a Case, of an Approval, and of a Guardrail. What a restart missed comes with the
// first list. It fails where something is missing.
func (a *Acts) SetUp(mgr ctrl.Manager) error {
	if err := a.Complete(); err != nil {
		return err
	}
	about := func(_ context.Context, o client.Object) []reconcile.Request {
		approval, ok := o.(*v1alpha1.Approval)
		if !ok {
			return nil
		}
		return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: approval.Namespace, Name: approval.Spec.Case}}}
	}
	ours := func(o client.Object) bool { return o.GetLabels()[v1alpha1.LabelFace] == string(a.Face.Name()) }
	var guardrail unstructured.Unstructured
	guardrail.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	err := ctrl.NewControllerManagedBy(mgr).Named("act-"+string(a.Face.Name())+"-"+a.Face.Reach().String()).For(&v1alpha1.Case{}, builder.WithPredicates(predicate.NewPredicateFuncs(ours))).
		Watches(&v1alpha1.Approval{}, handler.EnqueueRequestsFromMapFunc(about)).
		Watches(&guardrail, handler.EnqueueRequestsFromMapFunc(a.everyCase(mgr.GetClient())), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1}).Complete(a)
	if err != nil {
		return fmt.Errorf("set up acting on Cases: %w", err)
	}
	return mgr.Add(a)
}

// everyCase names every Case of this face on which an action of its reach was chosen: a Guardrail may let one go that was held.
func (a *Acts) everyCase(r client.Reader) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		var list v1alpha1.CaseList
		if err := r.List(ctx, &list, client.MatchingLabels{v1alpha1.LabelFace: string(a.Face.Name())}); err != nil {
			return nil // they come round by themselves
		}
		var all []reconcile.Request
		for i := range list.Items {
			if _, ours := Chosen(&list.Items[i], a.Face.Reach()); ours && !a.Face.Over(&list.Items[i]) {
				all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
			}
		}
		return all
	}
}
