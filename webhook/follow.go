package webhook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlhandler "sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const (
	followFirst = 5 * time.Second // between looks at a rollout that has just begun
	followLast  = time.Minute     // and at one that goes on for long
	// followWithin is how old a Case may be that nobody followed so far: what came in before that is nobody's news.
	followWithin = 24 * time.Hour
)

// Follower follows each rollout that was let in until it is known what became of it, and writes that into the audit log and
// onto its Case. All that it knows is in the cluster, so that another process may go on at any time.
type Follower struct {
	Keeper
	// Hashes remembers the hashes of revisions; nil: each is computed at every look.
	Hashes *Hashes

	window time.Duration // zero means outcomeWindow
	// told holds the final outcomes that are in the log and not on their Case yet, so that they are not recorded twice.
	told sync.Map
}

// SetUp adds the reconciler to a manager. A workload that changes has its open Cases looked at.
func (f *Follower) SetUp(mgr ctrl.Manager) error {
	ours := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()[v1alpha1.LabelFace] == string(gate.FaceWebhook) })
	b := ctrl.NewControllerManagedBy(mgr).Named("moorgate-rollouts").For(&v1alpha1.Case{}, builder.WithPredicates(ours))
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		b = b.Watches(workload(kind), ctrlhandler.EnqueueRequestsFromMapFunc(f.open(kind)), builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	}
	if err := b.Complete(f); err != nil {
		return fmt.Errorf("set up the reconciler of rollouts: %w", err)
	}
	return nil
}

// open are the Cases of a workload whose outcome is not known yet.
func (f *Follower) open(kind string) ctrlhandler.MapFunc {
	return func(ctx context.Context, obj client.Object) []ctrl.Request {
		label := cluster.WorkloadLabel(gate.Ref{Group: appsv1.GroupName, Kind: kind, Name: obj.GetName()})
		var list v1alpha1.CaseList
		err := f.Client.List(ctx, &list, client.InNamespace(obj.GetNamespace()), client.UnsafeDisableDeepCopy,
			client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook), v1alpha1.LabelWorkload: label})
		if err != nil {
			f.Logger.WarnContext(ctx, "a workload changed, and its Cases could not be listed", "error", err)
			return nil
		}
		var requests []ctrl.Request
		for i := range list.Items {
			if follows(&list.Items[i]) {
				requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
			}
		}
		return requests
	}
}

// follows reports whether a Case is of a rollout that was let in, of which it is not known for good what became.
func follows(c *v1alpha1.Case) bool {
	return c.Spec.Signal.Face == string(gate.FaceWebhook) && c.Spec.Answer != nil && c.Labels[v1alpha1.LabelTemplate] != "" &&
		slices.Contains([]string{Admitted, Warned, SlippedThrough}, saidOn(c)) && c.Status.Decision != "" && // or the verdict is not in its status yet
		!meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.CaseRollout)
}

// Reconcile looks at one rollout.
func (f *Follower) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var c v1alpha1.Case
	if err := f.Client.Get(ctx, req.NamespacedName, &c); err != nil {
		f.told.Delete(req.String())
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	age := f.Now().Sub(c.CreationTimestamp.Time)
	unseen := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout) == nil
	if !follows(&c) || c.DeletionTimestamp != nil || unseen && age > followWithin {
		return ctrl.Result{}, nil
	}
	g, err := f.glance(ctx, &c)
	if err != nil {
		return ctrl.Result{}, err
	}
	s := g.next(cmp.Or(f.window, outcomeWindow))
	if s.Outcome != "" {
		if err := f.keep(ctx, &c, g, s); err != nil {
			return ctrl.Result{}, err
		}
	}
	if s.Final {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: min(max(age/4, followFirst), followLast)}, nil
}

// keep writes down what became of a rollout: first in the log where it is final, so that nothing is said elsewhere that is
// not there. What is not final is written once, and again when it becomes something else.
func (f *Follower) keep(ctx context.Context, c *v1alpha1.Case, g glance, s step) error {
	key := client.ObjectKeyFromObject(c)
	if s.Final {
		if _, is := f.told.Load(key.String()); !is {
			if err := f.record(ctx, c, g, s); err != nil {
				return err
			}
			f.told.Store(key.String(), true)
		}
	}
	images := imagesOf(g, s)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		return f.cases().Keep(ctx, key, func(st *v1alpha1.CaseStatus) {
			status := statusOf(s)
			if old := meta.FindStatusCondition(st.Conditions, v1alpha1.CaseRollout); old != nil && (old.Status == metav1.ConditionTrue || old.Status == status && old.Reason == s.Outcome) {
				return
			}
			switch {
			case images != nil:
				st.Images = images
			case s.Outcome != g.Before: // what was there belongs to another outcome
				st.Images = nil
			}
			since := g.At
			if s.Outcome == gate.RolloutAvailable && !s.Final {
				since = g.Since
			}
			meta.SetStatusCondition(&st.Conditions, metav1.Condition{Type: v1alpha1.CaseRollout, Status: status, Reason: s.Outcome, Message: s.Text,
				LastTransitionTime: metav1.NewTime(since)})
		})
	})
	if client.IgnoreNotFound(err) == nil {
		f.told.Delete(key.String())
		return nil
	}
	return err
}

func statusOf(s step) metav1.ConditionStatus {
	switch {
	case s.Final:
		return metav1.ConditionTrue
	case s.Outcome == gate.RolloutAvailable:
		return metav1.ConditionFalse
	}
	return metav1.ConditionUnknown
}

// imagesOf are the images that an outcome speaks of: those that run, or those of the containers that fail. Where nobody can
// tell which container it was, none is named, unless there is but one.
func imagesOf(g glance, s step) []string {
	switch {
	case s.Outcome == gate.RolloutAvailable:
		return g.declared
	case s.Outcome == g.Failing.Outcome:
		return g.Failing.Images
	case s.Outcome == gate.RolloutDeadlineExceeded && len(g.declared) == 1:
		return g.declared
	}
	return nil
}

// record writes a final outcome into the audit log.
func (f *Follower) record(ctx context.Context, c *v1alpha1.Case, g glance, s step) error {
	o := answeredWith(c)
	signal := signalOf(c)
	_, err := f.Log.Append(ctx, gate.Record{Kind: gate.RecordVerification, Correlation: c.Namespace + "/" + c.Name, Signal: &signal, Text: s.Text,
		Rollout: &gate.Rollout{Said: saidOn(c), Outcome: s.Outcome, Decision: o.Decision, Score: number(o.Score), Confidence: number(o.Confidence),
			Template: c.Labels[v1alpha1.LabelTemplate], Images: g.ran, After: g.At.Sub(g.Admitted).Round(time.Second)}})
	if err != nil {
		return fmt.Errorf("write down what became of %s: %w", signal.Subject.String(), err)
	}
	return nil
}

func number(n *int32) gate.Fact[int] {
	if n == nil {
		return gate.Unknown[int]("it could not be said")
	}
	return gate.Known(int(*n))
}
