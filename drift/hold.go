package drift

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Whether Flux is to be kept from undoing a drift, while people decide on the pull request that adopts it, is a happening of its own with
// a Case of its own: what people approve there is a plan that reaches into the cluster, and a pull request does not. The Case names that
// of the drift. It is asked once; nothing is held that nobody approved.

// reasonHold is the word for a drift that would be undone while people decide on it.
const reasonHold = "DriftUndecided"

// holdSignal is that happening, of a drift that a Case tells of.
func holdSignal(k *v1alpha1.Case) gate.Signal {
	s := signalOf(k)
	return gate.Signal{Face: gate.FaceDrift, Reason: reasonHold, Subject: s.Subject, Key: k.Name,
		Text: line("Flux would undo what Case " + k.Name + " tells of while people decide on its pull request; where they approve it, that is held"), At: s.At}
}

// asksToHold reports whether a Case is named by what it tells of, and asks whether to hold.
func asksToHold(c *v1alpha1.Case) bool {
	return c.Spec.Signal.Reason == reasonHold && c.Name == signalOf(c).CaseName()
}

// adviseHold has the opinion of the rules: that it would be undone is known, and whether it should be is for people to say.
func adviseHold(_ context.Context, q flow.Question) gate.Assessment {
	a := gate.Assessment{Advisor: "drift-rules", Cause: reasonHold, Score: gate.Known(100), Confidence: gate.Known(100), Agreement: gate.Known(100)}
	if len(q.Facts.Menu) == 0 {
		a.Silent = "there is nothing to do"
		return a
	}
	a.Choice = []string{q.Facts.Menu[0].ID}
	return a
}

// holdMenu is what may be done about it. What is held is counted against who delivers, not against the workload: the pull request was.
func holdMenu(subject gate.Ref, by client.ObjectKey) []gate.Action {
	hold := gate.Holding(subject)
	hold.Workload = gate.Ref{Group: kustomizationKind.Group, Kind: kustomizationKind.Kind, Namespace: by.Namespace, Name: by.Name}
	hold.Text = fmt.Sprintf("have Kustomization %s leave %s alone until people have decided on its pull request", by, objectName(subject))
	return []gate.Action{hold, {ID: ItemNothing, Verb: "nothing", Reach: gate.ReachNothing, Target: subject, Text: "let it be delivered, and so undone"}}
}

// keepHold keeps the Case by which people are asked, while the pull request of a drift is undecided and every Guardrail lets them be
// asked. What a HelmRelease or Argo CD delivers cannot be held object by object, and its pull request says so.
func (d *Detector) keepHold(ctx context.Context, l *look, p gate.Policy, k *v1alpha1.Case, r *round) error {
	if k == nil || !tellsOfFields(k) || k.Status.Acting == nil || k.Status.Acting.Phase != v1alpha1.PhaseActed || p.HoldFor() == 0 || !cluster.Holdable(l.subject) {
		return nil
	}
	by, byFlux := kustomizationOf(l, r.tree.delivery)
	if !byFlux {
		return nil
	}
	s := holdSignal(k)
	r.open[s.CaseName()] = true
	key := client.ObjectKey{Namespace: k.Namespace, Name: s.CaseName()}
	var asked v1alpha1.Case
	err := d.Client.Get(ctx, key, &asked)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	if err == nil && meta.IsStatusConditionTrue(asked.Status.Conditions, v1alpha1.CaseRecorded) && meta.IsStatusConditionTrue(asked.Status.Conditions, CaseDrifted) {
		return nil // it is asked already, and whoever acts decides again
	}
	q := flow.Question{Signal: s, Case: cluster.CaseRef(s), Evidence: l.evidence,
		Facts: gate.Facts{At: d.Now(), Subject: l.subject, Menu: holdMenu(l.subject, by), Paused: gate.Known[[]string](nil)}}
	d.Circumstances.Complete(ctx, &q, gate.Known(k.CreationTimestamp.Time), reasonHold, gate.VerbHold)
	q.Facts.Owner, q.Facts.Drift = gate.Known(gate.Owner{Source: "Kustomization " + by.String()}), gate.Known(cause(l))
	j, recordErr := flow.Judge(ctx, d.Log, q, p, flow.AdvisorFunc(adviseHold))
	if apierrors.IsNotFound(err) {
		if _, _, err := d.Cases.Open(ctx, s, nil, map[string]string{LabelSource: k.Labels[LabelSource]}); err != nil {
			return err
		}
	}
	judged := d.Cases.Judged(j, recordErr)
	return d.Cases.Keep(ctx, key, func(s *v1alpha1.CaseStatus) {
		judged(s)
		d.drifted(s, metav1.ConditionTrue, "Undecided", "the drift stands, and people decide on its pull request")
	})
}
