package webhook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	// CaseSettled is True on a Case once everything that was missing or unknown at admission was looked for again.
	CaseSettled = "Settled"
	// CaseTold is True on a Case once an Event on the workload speaks of it: where a wait ended in a refusal, and where the
	// workload is of a kind that is not annotated.
	CaseTold = "Told"

	settleFirst = 5 * time.Second
	// settleEvery is short enough that what was asked about at one look is still believed at the next.
	settleEvery = absentFor * 3 / 2
	settleAfter = time.Minute // what is still missing then is missing
)

// Settler keeps the status of the webhook's Cases: it copies the answer into it, and where something was missing or could
// not be read at admission it looks again, until it is there or a minute has passed, and judges once more. The second
// verdict changes nothing but the Case and the annotations that follow it.
type Settler struct {
	Keeper
	after time.Duration // how long something may be late; zero means settleAfter
}

// SetUp adds the reconciler to a manager.
func (s *Settler) SetUp(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).Named("moorgate-cases").For(&v1alpha1.Case{}).Complete(s)
	if err != nil {
		return fmt.Errorf("set up the reconciler of cases: %w", err)
	}
	return nil
}

// Reconcile settles one Case.
func (s *Settler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var c v1alpha1.Case
	if err := s.Client.Get(ctx, req.NamespacedName, &c); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if c.Spec.Signal.Face != string(gate.FaceWebhook) || c.Spec.Answer == nil {
		return ctrl.Result{}, nil
	}
	if c.Status.Answer == "" {
		return ctrl.Result{}, s.copyAnswer(ctx, &c) // its own update brings us back
	}
	var again time.Duration
	if early(&c) {
		again = s.confer(ctx, &c)
	}
	if said := saidOn(&c); said == Denied || said == Retried || said == AskedAhead {
		return ctrl.Result{RequeueAfter: again}, s.tellEnd(ctx, &c)
	}
	if wait, err := s.tellIn(ctx, &c); wait > 0 || err != nil {
		return ctrl.Result{RequeueAfter: wait}, err
	}
	if !doubtful(c.Spec.Answer.Opinion) || meta.IsStatusConditionTrue(c.Status.Conditions, CaseSettled) {
		return ctrl.Result{RequeueAfter: s.confer(ctx, &c)}, nil
	}
	age := s.Now().Sub(c.CreationTimestamp.Time)
	if age < settleFirst {
		return ctrl.Result{RequeueAfter: settleFirst - age}, nil
	}
	return s.lookAgain(ctx, &c, age)
}

// doubtful reports whether an opinion may change by itself.
func doubtful(o v1alpha1.Opinion) bool {
	return len(o.Unread) > 0 || slices.ContainsFunc(o.Findings, func(f v1alpha1.Finding) bool { return checks.Late(f.ID) })
}

// stood reports whether something was let in for standing before the change: it is not held against it later either.
func stood(o v1alpha1.Opinion) bool {
	return slices.ContainsFunc(o.Findings, func(f v1alpha1.Finding) bool { return f.Nature == string(gate.Standing) })
}

func (s *Settler) copyAnswer(ctx context.Context, c *v1alpha1.Case) error {
	o := c.Spec.Answer.Opinion
	summary := cluster.Summary(o)
	err := s.cases().Keep(ctx, client.ObjectKeyFromObject(c), func(st *v1alpha1.CaseStatus) {
		if st.Answer != "" {
			return // the client that was asked to wait was answered meanwhile
		}
		st.Opinion, st.Answer = o, c.Spec.Answer.Said
		st.Subject = c.Spec.Subject.Kind + "/" + c.Spec.Subject.Name
		st.Summary = summary
		s.condition(st, v1alpha1.CaseJudged, o.Decision, summary)
	})
	if err != nil || c.Spec.Answer.Said != Denied {
		return err
	}
	return s.tell(ctx, c, summary)
}

// tellEnd tells once of a wait that ended in a refusal.
func (s *Settler) tellEnd(ctx context.Context, c *v1alpha1.Case) error {
	if !early(c) || saidOn(c) != Denied || meta.IsStatusConditionTrue(c.Status.Conditions, CaseTold) {
		return nil
	}
	if err := s.settled(ctx, c, CaseTold, Denied, c.Status.Summary); err != nil {
		return err
	}
	return s.tell(ctx, c, c.Status.Summary)
}

// tellIn tells once, in an Event, of a rollout that is in and of a kind that is not annotated. It returns how long to wait for
// one that is not there yet.
func (s *Settler) tellIn(ctx context.Context, c *v1alpha1.Case) (time.Duration, error) {
	if c.Spec.Subject.Group == appsv1.GroupName || meta.IsStatusConditionTrue(c.Status.Conditions, CaseTold) || s.policy(ctx, c.Namespace).Admission() < gate.AdmissionWarn {
		return 0, nil
	}
	obj, err := s.subject(ctx, c)
	switch {
	case unreadable(err) != "":
		return 0, nil
	case err != nil:
		return 0, err
	case obj == nil && s.Now().Sub(c.CreationTimestamp.Time) < settleFirst:
		return settleFirst / 5, nil
	case obj == nil:
		return 0, nil
	}
	if err := s.settled(ctx, c, CaseTold, saidOn(c), c.Status.Summary); err != nil {
		return 0, err
	}
	s.announce(obj, c, "")
	return 0, nil
}

// tell says in an Event on the workload, where there is one, that a change was refused.
func (s *Settler) tell(ctx context.Context, c *v1alpha1.Case, summary string) error {
	obj, err := s.subject(ctx, c)
	if unreadable(err) != "" {
		return nil // the Case says it
	}
	if err != nil || obj == nil || s.policy(ctx, c.Namespace).Admission() < gate.AdmissionWarn {
		return err
	}
	s.Events.Eventf(obj, nil, corev1.EventTypeWarning, "RolloutDenied", "Admit", "a change was refused: %s; case %s", summary, c.Name)
	return nil
}

// lookAgain judges the workload as it stands, unless it has moved on since.
func (s *Settler) lookAgain(ctx context.Context, c *v1alpha1.Case, age time.Duration) (ctrl.Result, error) {
	obj, err := s.subject(ctx, c)
	if why := unreadable(err); why != "" {
		return ctrl.Result{}, s.settled(ctx, c, CaseSettled, "Unread", "the workload is not looked at again: "+why)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	if obj == nil {
		return ctrl.Result{}, s.settled(ctx, c, CaseSettled, "Gone", "the workload is gone")
	}
	change, err := standing("UPDATE", obj)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !aboutOf(change.New)(c) {
		return ctrl.Result{}, s.settled(ctx, c, CaseSettled, "Superseded", "the workload has another template by now")
	}
	change.Afterwards, change.User = !stood(c.Spec.Answer.Opinion), c.Spec.Answer.User
	seen, err := s.see(ctx, change)
	if err != nil {
		return ctrl.Result{}, err
	}
	open := len(seen.question.Facts.Unread) > 0 ||
		slices.ContainsFunc(seen.assessment.Findings, func(f gate.Finding) bool { return checks.Late(f.ID) })
	if open && age < cmp.Or(s.after, settleAfter) {
		return ctrl.Result{RequeueAfter: settleEvery}, nil
	}
	seen.question.Signal, seen.question.Case = signalOf(c), c.Namespace+"/"+c.Name
	j, recordErr := s.judge(ctx, s.Log, seen)
	err = s.cases().Keep(ctx, client.ObjectKeyFromObject(c), func(st *v1alpha1.CaseStatus) {
		s.cases().Judged(j, recordErr)(st)
		st.Menu, st.Chosen = nil, nil // nothing is offered: the rollout is in
		reason, text := "Found", "everything that it refers to is there"
		if open {
			reason, text = "StillMissing", st.Summary
		}
		s.condition(st, CaseSettled, reason, text)
	})
	return ctrl.Result{}, err
}

func (s *Settler) settled(ctx context.Context, c *v1alpha1.Case, condition, reason, text string) error {
	return s.cases().Keep(ctx, client.ObjectKeyFromObject(c), func(st *v1alpha1.CaseStatus) { s.condition(st, condition, reason, text) })
}

func (s *Settler) condition(st *v1alpha1.CaseStatus, kind, reason, text string) {
	meta.SetStatusCondition(&st.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: text,
		LastTransitionTime: metav1.NewTime(s.Now())})
}
