package webhook

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// CaseAdvised is True on a Case once a model had a part in its verdict, and False with the reason where it was asked in vain.
const CaseAdvised = "Advised"

// conferAgain is when it is tried again to have a model asked for whom there was no room.
const conferAgain = 15 * time.Second

// confer has a model asked about a rollout, once a Case: what it says comes onto the Case, and changes nothing else. Whom a client
// waits for does not stand behind all others. It returns when to try again, where there was no room.
func (s *Settler) confer(ctx context.Context, c *v1alpha1.Case) time.Duration {
	if s.Beside == nil || s.Aside == nil || meta.FindStatusCondition(c.Status.Conditions, CaseAdvised) != nil {
		return 0
	}
	if asks := s.policy(ctx, c.Namespace).Asking().Ask; asks == gate.AskNever {
		return 0
	}
	aside, key := s.Aside, client.ObjectKeyFromObject(c)
	if early(c) && s.Ahead != nil {
		aside = s.Ahead
	}
	taken := aside.Do("webhook/"+key.String(), func(ctx context.Context) {
		if err := s.consult(ctx, key); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "ask a model about a rollout", "case", key.String(), "error", gate.OneLine(err.Error(), 1024))
		}
	})
	if taken {
		return 0
	}
	return conferAgain
}

// consult looks at the workload as it stands, has a model asked about it, and keeps what came of it.
func (s *Settler) consult(ctx context.Context, key client.ObjectKey) error {
	var c v1alpha1.Case
	if err := s.Client.Get(ctx, key, &c); err != nil {
		return client.IgnoreNotFound(err)
	}
	if c.Spec.Answer.Brief != nil {
		return s.consultAhead(ctx, &c)
	}
	obj, err := s.subject(ctx, &c)
	if err != nil || obj == nil {
		return err
	}
	change, err := standing("UPDATE", obj)
	if err != nil || !aboutOf(change.New)(&c) {
		return err // it has moved on, and has another Case
	}
	change.Afterwards = !stood(c.Spec.Answer.Opinion)
	seen, err := s.see(ctx, change)
	if err != nil {
		return err
	}
	if asks, _ := flow.Asks(seen.policy.Asking(), seen.assessment); !asks {
		return nil
	}
	before := s.before(ctx, obj, checks.Hash(change.New.Template))
	brief(&seen, before, s.Door)
	seen.question.Signal, seen.question.Case = signalOf(&c), key.String()
	return s.counsel(ctx, key, seen.question, seen.policy, seen.assessment)
}

// consultAhead has a model asked about a rollout that waits outside, from what its Case holds of it.
func (s *Settler) consultAhead(ctx context.Context, c *v1alpha1.Case) error {
	key := client.ObjectKeyFromObject(c)
	policy := s.policy(ctx, c.Namespace)
	said := cluster.Assessment(c.Spec.Answer.Opinion)
	said.Choice, said.Open = []string{checks.Admit}, "whether the change itself is sound is not for a check to say"
	why := ""
	if asks, reason := flow.Asks(policy.Asking(), said); !asks {
		why = reason
	} else if s.Now().Sub(c.Spec.Signal.FirstSeen.Time) > aheadFor {
		why = "it was asked for too long ago"
	}
	if why != "" {
		return s.cases().Keep(ctx, key, func(st *v1alpha1.CaseStatus) { s.counselled(st, why) })
	}
	q := recalled(c)
	q.Evidence = s.Door.Evidence(q.Evidence) // a Case is no place from where anything goes to a model unseen
	q.Facts.At, q.Facts.Namespace = s.Now(), s.labels(ctx, c.Namespace)
	return s.counsel(ctx, key, q, policy, said)
}

// aheadFor is for how long a model is still asked about a rollout that was told to wait: who comes later waits anew.
const aheadFor = 10 * time.Minute

// counsel has a model asked beside what the checks said, and keeps what came of it.
func (s *Settler) counsel(ctx context.Context, key client.ObjectKey, q flow.Question, p gate.Policy, checked gate.Assessment) error {
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return checked })
	j, recordErr := flow.Judge(ctx, s.Log, q, p, s.Beside.Of(said))
	keep := func(st *v1alpha1.CaseStatus) {
		s.cases().Judged(j, recordErr)(st)
		st.Menu, st.Chosen = nil, nil // nothing is offered: letting it in is the webhook's answer
		s.counselled(st, j.Assessment.Alone)
	}
	// What was recorded on the way must not be asked and recorded anew because somebody else wrote at the same time.
	return retry.RetryOnConflict(retry.DefaultRetry, func() error { return s.cases().Keep(ctx, key, keep) })
}

// counselled says on a Case that a model had a part in its verdict, or why it had none.
func (s *Settler) counselled(st *v1alpha1.CaseStatus, alone string) {
	condition := metav1.Condition{Type: CaseAdvised, Status: metav1.ConditionTrue, Reason: "Asked", Message: "a model had a part in the verdict", LastTransitionTime: metav1.NewTime(s.Now())}
	if alone != "" {
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "Alone", gate.OneLine(alone, 512)
	}
	meta.SetStatusCondition(&st.Conditions, condition)
}

// before is the template that a Deployment had before this one, as its ReplicaSets keep it; nil where nobody knows.
func (s *Settler) before(ctx context.Context, obj client.Object, hash string) *corev1.PodTemplateSpec {
	if _, ok := obj.(*appsv1.Deployment); !ok {
		return nil
	}
	var list appsv1.ReplicaSetList
	if err := s.Client.List(ctx, &list, client.InNamespace(obj.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}
	var newest *appsv1.ReplicaSet
	for i := range list.Items {
		r := &list.Items[i]
		if owner := metav1.GetControllerOf(r); owner == nil || owner.UID != obj.GetUID() || checks.Hash(r.Spec.Template) == hash {
			continue
		}
		if newest == nil || revision(r) > revision(newest) {
			newest = r
		}
	}
	if newest == nil {
		return nil
	}
	return &newest.Spec.Template
}

func revision(r *appsv1.ReplicaSet) int {
	var n int
	_, _ = fmt.Sscan(r.Annotations["deployment.kubernetes.io/revision"], &n)
	return n
}

// The evidence that is collected for a model alone.
const (
	EvidenceTemplate = "template" // the pod template that came in
	EvidenceDiff     = "diff"     // what differs from the one before
)

// The kinds of claim that this face's code checks.
const (
	ClaimMissing  = "missing"       // KIND/NAME that the rollout refers to
	ClaimFinding  = "check-found"   // the id of a check
	ClaimRollback = "is-a-rollback" // KIND/NAME
	ClaimFailing  = "fails-now"     // KIND/NAME: as it ran before this
)

// Claims lists the kinds of claim that this face's code checks.
func Claims() []string { return []string{ClaimMissing, ClaimFinding, ClaimRollback, ClaimFailing} }

// Concerns lists what a model may say that speaks most against a rollout.
func Concerns() []gate.Doc {
	return []gate.Doc{
		{ID: "sound", Title: "Nothing speaks against it", Text: "The change looks like what its author meant, and nothing shown speaks against it."},
		{ID: "risky-change", Title: "The change itself is risky", Text: "It changes much at once, goes to another major version, loosens security, or drops something that the workload needs."},
		{ID: "likely-mistake", Title: "A likely mistake", Text: "A value, a name, a port, a unit or an image looks wrong beside what was there before or what else is shown."},
		{ID: "capacity", Title: "Too little room", Text: "What it asks for does not fit quotas, limits or nodes, or is far from what was asked for before."},
		{ID: "recent-failures", Title: "The same failed lately", Text: "The workload, its namespace or what it depends on fails now or failed lately in a way that this change does not mend."},
		{ID: "dependency", Title: "A dependency is not there", Text: "Something that the change refers to or needs is missing or unhealthy."},
		{ID: gate.CauseOther, Title: "Something else", Text: "Something else speaks against it, or there is too little to tell."},
	}
}
