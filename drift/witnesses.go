package drift

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// Witnesses judges the Cases of what people were seen to do, once each and on record, and keeps on them what became of it. It is a part
// of the Detector, whose fields it uses.
type Witnesses struct{ *Detector }

// SetUp has it called for every such Case, and for every one about a drift of the same object.
func (w Witnesses) SetUp(mgr ctrl.Manager) error {
	about := func(ctx context.Context, o client.Object) []reconcile.Request {
		k, ok := o.(*v1alpha1.Case)
		switch {
		case !ok:
			return nil
		case witnessed(k):
			return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(k)}}
		case !happened(k):
			return nil
		}
		var requests []reconcile.Request
		for _, subject := range append(k.Status.Objects, k.Spec.Subject) {
			cases, err := witnessedCases(ctx, mgr.GetClient(), refIn(k.Namespace, subject))
			if err != nil {
				return nil // the next change of either Case sees it
			}
			for i := range cases {
				requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: k.Namespace, Name: cases[i].Name}})
			}
		}
		return requests
	}
	err := ctrl.NewControllerManagedBy(mgr).Named("drift-witness").Watches(&v1alpha1.Case{}, handler.EnqueueRequestsFromMapFunc(about)).Complete(w)
	if err != nil {
		return fmt.Errorf("set up the judge of what people were seen to do: %w", err)
	}
	return nil
}

// witnessed reports whether a Case is about what a person was seen to do.
func witnessed(k *v1alpha1.Case) bool {
	return k.Spec.Signal.Face == string(gate.FaceDrift) && k.Spec.Witness != nil && k.Labels[v1alpha1.LabelWitnessed] == "true"
}

// Reconcile judges one Case, unless that is on record, and says on it what became of the change.
func (w Witnesses) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	d := w.Detector
	var k v1alpha1.Case
	if err := d.Client.Get(ctx, req.NamespacedName, &k); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !witnessed(&k) {
		return reconcile.Result{}, nil
	}
	drifts, err := d.driftCases(ctx, subjectOf(&k))
	if err != nil {
		return reconcile.Result{}, err
	}
	judged, recordErr := func(*v1alpha1.CaseStatus) {}, error(nil)
	if !meta.IsStatusConditionTrue(k.Status.Conditions, v1alpha1.CaseRecorded) {
		judged, recordErr = w.judge(ctx, &k)
	}
	became := w.becomes(&k, drifts)
	err = d.Cases.Keep(ctx, req.NamespacedName, func(s *v1alpha1.CaseStatus) {
		judged(s)
		became(s)
	})
	if err == nil {
		err = recordErr // to be tried again
	}
	return reconcile.Result{}, client.IgnoreNotFound(err)
}

// driftCases are the Cases of drifts that may be about an object: its own, and those of many.
func (d *Detector) driftCases(ctx context.Context, r gate.Ref) ([]v1alpha1.Case, error) {
	var own, many v1alpha1.CaseList
	face := client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift)}
	err := errors.Join(
		d.Client.List(ctx, &own, client.InNamespace(r.Namespace), client.HasLabels{LabelSource}, face, client.MatchingLabels{v1alpha1.LabelWorkload: cluster.WorkloadLabel(r)}),
		d.Client.List(ctx, &many, client.InNamespace(r.Namespace), face, client.MatchingLabels{LabelMany: "true"}))
	if err != nil {
		return nil, fmt.Errorf("list the drift cases of %s: %w", r, err)
	}
	return append(own.Items, many.Items...), nil
}
