package webhook

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlhandler "sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// Annotator writes the verdict of a rollout onto it, after it was admitted: moorgate.dev annotations by server-side apply,
// nothing else, only where they change, and never in Observe. Each write has a durable intent and a Permit. It also finds
// the rollouts that slipped through, and judges them.
type Annotator struct {
	Keeper
	// Actor carries out what was permitted: a cluster.Hand.
	Actor flow.Actor
	// Gate says since when and where the webhook is asked: GateOf.
	Gate func(ctx context.Context) (Gate, error)

	// written holds, for each rollout, the plan that was carried out and is not in the cache yet.
	written sync.Map
}

// SetUp adds one reconciler for each kind of workload to a manager. A Guardrail that changes has every workload looked at:
// it may want annotations where it did not before.
func (a *Annotator) SetUp(mgr ctrl.Manager) error {
	var guardrail unstructured.Unstructured
	guardrail.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		err := ctrl.NewControllerManagedBy(mgr).Named("moorgate-"+strings.ToLower(kind)+"s").For(workload(kind)).
			Watches(&v1alpha1.Case{}, ctrlhandler.EnqueueRequestsFromMapFunc(subjectsOf(kind))).
			Watches(&guardrail, ctrlhandler.EnqueueRequestsFromMapFunc(a.everyOne(kind)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			Complete(reconcile.Func(func(ctx context.Context, req ctrl.Request) (ctrl.Result, error) { return a.reconcile(ctx, kind, req) }))
		if err != nil {
			return fmt.Errorf("set up the reconciler of %ss: %w", kind, err)
		}
	}
	return nil
}

// everyOne asks for all workloads of a kind, from the cache.
func (a *Annotator) everyOne(kind string) ctrlhandler.MapFunc {
	return func(ctx context.Context, _ client.Object) []ctrl.Request {
		list := workloads(kind)
		if err := a.Client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			a.Logger.WarnContext(ctx, "a Guardrail changed, and which rollouts it concerns could not be listed", "error", err)
			return nil
		}
		var requests []ctrl.Request
		_ = meta.EachListItem(list, func(obj runtime.Object) error {
			if o, ok := obj.(client.Object); ok {
				requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(o)})
			}
			return nil
		})
		return requests
	}
}

func subjectsOf(kind string) ctrlhandler.MapFunc {
	return func(_ context.Context, obj client.Object) []ctrl.Request {
		c, ok := obj.(*v1alpha1.Case)
		if !ok || c.Spec.Signal.Face != string(gate.FaceWebhook) || c.Spec.Subject.Kind != kind {
			return nil
		}
		return []ctrl.Request{{NamespacedName: client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Subject.Name}}}
	}
}

func (a *Annotator) reconcile(ctx context.Context, kind string, req ctrl.Request) (ctrl.Result, error) {
	obj := workload(kind)
	key := gate.Ref{Kind: kind, Namespace: req.Namespace, Name: req.Name}
	if err := a.Client.Get(ctx, req.NamespacedName, obj); err != nil {
		a.written.Delete(key)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	w, err := checks.FromObject(obj)
	if err != nil || obj.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, err
	}
	hash := checks.Hash(w.Template)
	c, err := a.caseOf(ctx, w)
	if err != nil {
		return ctrl.Result{}, err
	}
	if c == nil {
		wait, err := a.slip(ctx, obj, hash)
		return ctrl.Result{RequeueAfter: wait}, err
	}
	if quiet := func(r gate.Rail) bool { return r.Admission < gate.AdmissionWarn }; slices.ContainsFunc(a.policy(ctx, req.Namespace).Rails, quiet) {
		return ctrl.Result{}, nil // the mode rule would hold every write
	}
	plan, changes := mark(w.Ref, obj.GetAnnotations(), c, hash)
	if !changes {
		a.written.Delete(key)
		return ctrl.Result{}, nil
	}
	if done, _ := a.written.Load(key); done == plan.PlanDigest() {
		return ctrl.Result{}, nil // the cache lags behind what we wrote
	}
	outcome, err := a.write(ctx, kind, obj, plan, c)
	if outcome == gate.OutcomeDone {
		a.written.Store(key, plan.PlanDigest())
	}
	return ctrl.Result{}, err
}

// write carries out the plan between a durable intent and its outcome. What the guardrail holds, as while it is paused, is
// not written, and comes up again with the next change to the rollout or its Case.
func (a *Annotator) write(ctx context.Context, kind string, obj client.Object, plan gate.Action, c *v1alpha1.Case) (gate.Outcome, error) {
	outcome, verdict, err := flow.Act(ctx, flow.Attempt{Log: a.Log, Plan: plan.PlanDigest(), Actor: a.Actor, Advisor: flow.AdvisorFunc(only),
		Look: func(ctx context.Context) (flow.Question, gate.Policy, error) {
			return a.lookToMark(ctx, kind, client.ObjectKeyFromObject(obj), c)
		}})
	if err != nil {
		return outcome, fmt.Errorf("annotate %s: %w", plan.Target, err)
	}
	if outcome != gate.OutcomeDone {
		a.Logger.InfoContext(ctx, "a rollout was not annotated", "subject", plan.Target.String(), "outcome", outcome.String(), "decision", verdict.Decision.String())
		return outcome, nil
	}
	how := ""
	if c.Spec.Answer.Said == SlippedThrough && glassBroken(obj) {
		how = "by break-glass; "
	}
	a.announce(obj, c, how)
	return outcome, nil
}

// lookToMark looks at the rollout again just before it is annotated.
func (a *Annotator) lookToMark(ctx context.Context, kind string, key client.ObjectKey, c *v1alpha1.Case) (flow.Question, gate.Policy, error) {
	obj := workload(kind)
	if err := a.Client.Get(ctx, key, obj); err != nil {
		return flow.Question{}, gate.Policy{}, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	w, err := checks.FromObject(obj)
	if err != nil {
		return flow.Question{}, gate.Policy{}, err
	}
	q := flow.Question{Signal: signalOf(c), Case: c.Namespace + "/" + c.Name,
		Facts: gate.Facts{At: a.Now(), Subject: w.Ref, Namespace: a.labels(ctx, key.Namespace), Paused: gate.Known[[]string](nil)}}
	if a.Paused != nil {
		q.Facts.Paused = a.Paused()
	}
	if plan, changes := mark(w.Ref, obj.GetAnnotations(), c, checks.Hash(w.Template)); changes {
		request, err := cluster.RequestOf(plan)
		if err != nil {
			return flow.Question{}, gate.Policy{}, err
		}
		plan.Request = &request
		q.Facts.Menu = []gate.Action{plan}
	}
	return q, a.policy(ctx, key.Namespace), nil
}

// only chooses the one thing on the menu: writing down a verdict is neither sound nor unsound.
func only(_ context.Context, q flow.Question) gate.Assessment {
	a := gate.Assessment{Advisor: "annotate", Score: gate.Known(100), Confidence: gate.Known(100)}
	if len(q.Facts.Menu) == 0 {
		a.Silent = "there is nothing left to write"
		return a
	}
	a.Choice = []string{q.Facts.Menu[0].ID}
	return a
}

// latest is the opinion that the annotations speak of: the newest, or the answer's until there is one.
func latest(c *v1alpha1.Case) v1alpha1.Opinion {
	if c.Status.Decision != "" {
		return c.Status.Opinion
	}
	return c.Spec.Answer.Opinion
}

func scoreOf(o v1alpha1.Opinion) string {
	if o.Score == nil {
		return "unknown"
	}
	return strconv.Itoa(int(*o.Score))
}
