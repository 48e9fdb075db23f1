package cluster

import (
	"context"
	"fmt"
	"time"

	fluxmeta "github.com/fluxcd/pkg/apis/meta"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// GuardrailStatus keeps the Ready condition of Guardrails: False where one cannot be read, with what is wrong. The API
// server refuses such a Guardrail; one may still be there from an older or newer version, and then holds everything.
type GuardrailStatus struct {
	Client client.Client
	Now    func() time.Time
}

// Reconcile looks at one Guardrail.
func (s GuardrailStatus) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var u unstructured.Unstructured
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	if err := s.Client.Get(ctx, req.NamespacedName, &u); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var status v1alpha1.GuardrailStatus
	if raw, ok := u.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &status); err != nil {
			return ctrl.Result{}, fmt.Errorf("read the status of Guardrail %s: %w", u.GetName(), err)
		}
	}
	before := status.DeepCopy()
	now := s.Now()
	_, problem := parse(&u).rail(now)
	status.ObservedGeneration = u.GetGeneration()
	meta.SetStatusCondition(&status.Conditions, Ready(now, u.GetGeneration(), problem, "in force"))
	if equality.Semantic.DeepEqual(*before, status) {
		return ctrl.Result{}, nil
	}
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("encode the status of Guardrail %s: %w", u.GetName(), err)
	}
	old := u.DeepCopy()
	u.Object["status"] = raw
	if err := s.Client.Status().Patch(ctx, &u, client.MergeFrom(old)); err != nil {
		return ctrl.Result{}, fmt.Errorf("write the status of Guardrail %s: %w", u.GetName(), client.IgnoreNotFound(err))
	}
	return ctrl.Result{}, nil
}

// SetUp has the reconciler called for every change of a Guardrail's spec.
func (s GuardrailStatus) SetUp(mgr ctrl.Manager) error {
	var u unstructured.Unstructured
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	return ctrl.NewControllerManagedBy(mgr).Named("guardrail-status").
		For(&u, builder.WithPredicates(predicate.GenerationChangedPredicate{})).Complete(s)
}

// Ready is the Ready condition of one of our objects: True with text, or False with the error in its message.
func Ready(now time.Time, generation int64, err error, text string) metav1.Condition {
	c := metav1.Condition{Type: fluxmeta.ReadyCondition, Status: metav1.ConditionTrue, Reason: fluxmeta.SucceededReason,
		Message: text, ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now)}
	if err != nil {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, fluxmeta.FailedReason, gate.OneLine(err.Error(), 1024)
	}
	return c
}
