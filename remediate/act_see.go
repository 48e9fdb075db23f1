package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// seen is a happening with the plan that was chosen for it, which is all that is taken from a Case.
type seen struct {
	world causes.World
	plan  string
}

// Advise has the opinion of this face on what was seen, with what was chosen for a cause that no rule knows.
func (s seen) Advise(_ context.Context, q flow.Question) gate.Assessment {
	return elected(causes.Assess(s.world, q.Facts.Menu), q.Facts, s.plan)
}

// See looks at a happening. plan is the digest of what was chosen. It is quiet where the workload runs between two crashes, or for
// good.
func (a *Hands) See(ctx context.Context, c *v1alpha1.Case, plan string, live bool) (acting.View, error) {
	e := a.first
	if live {
		e = a.live()
	}
	k, ok := keyOf(c)
	if !ok {
		return acting.View{}, acting.ErrGone
	}
	w, err := e.observe(ctx, k, a.Now())
	if errors.Is(err, errGone) {
		return acting.View{}, acting.ErrGone
	}
	if err != nil {
		return acting.View{}, err
	}
	v := acting.View{Question: ask(k, w, plan), Advisor: seen{w, plan}, Well: wellIn(w), Quiet: !w.Shows() || stands(plan, w, nil)}
	circumstances(ctx, a.Circumstances, &v.Question, v.Advisor.Advise(ctx, v.Question), since(c, w.At))
	menu := v.Question.Facts.Menu
	i := slices.IndexFunc(menu, func(m gate.Action) bool { return m.PlanDigest() == plan })
	if i < 0 || v.Quiet {
		return v, nil // the plan has changed, and whoever asks says so
	}
	menu[i].Request, v.Unfit, err = a.prepare(ctx, e, menu[i], k, w, live)
	return v, err
}

// prepare makes the Request of a plan where that is looked at live, or says why it is not carried out by this version, or not on this
// object.
func (a *Hands) prepare(ctx context.Context, e eye, plan gate.Action, k Key, w causes.World, live bool) (*gate.Request, *gate.Reason, error) {
	switch {
	case cluster.Amends(plan.Verb) && live:
		return a.amend(ctx, plan, w)
	case cluster.Amends(plan.Verb):
		return nil, nil, nil
	case plan.Verb != cluster.VerbEvict:
		return nil, holds("hand", fmt.Sprintf("this version cannot do %q itself: it takes a human", plan.Verb)), nil
	}
	real, err := e.genuine(ctx, plan.Target, k, w.At)
	if err != nil {
		return nil, nil, err
	}
	if !real {
		return nil, holds("plan", "what was judged is not what the pod shows, to whoever begins with the pod"), nil
	}
	if !live {
		return nil, nil, nil
	}
	request, err := a.Evict(plan.Target)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare to evict %s: %w", plan.Target, err)
	}
	return &request, nil, nil
}

// circumstances adds to a question what the rules about acting ask for, and returns the action that is going to be chosen.
func circumstances(ctx context.Context, c cluster.Circumstances, q *flow.Question, opinion gate.Assessment, began gate.Fact[time.Time]) gate.Action {
	chosen, _ := flow.Judgement{Question: *q, Assessment: opinion}.Chosen()
	c.Complete(ctx, q, began, opinion.Cause, chosen.Verb)
	return chosen
}

// since is when a happening began, by what can be believed: not before its Case was created, by the API server's clock. One
// that was over and is back began anew.
func since(c *v1alpha1.Case, now time.Time) gate.Fact[time.Time] {
	if Over(c) {
		return gate.Known(now)
	}
	began := c.Spec.Signal.FirstSeen.Time
	if created := c.CreationTimestamp.Time; created.After(began) {
		began = created
	}
	if r := meta.FindStatusCondition(c.Status.Conditions, ConditionRecovered); r != nil && r.Status == metav1.ConditionFalse && r.LastTransitionTime.After(began) {
		began = r.LastTransitionTime.Time
	}
	return gate.Known(began)
}

// genuine is whether the pod that an action is done to shows the happening now, to whoever begins with the pod: whatever a Case
// calls its workload, the pod's owner says what is.
func (e eye) genuine(ctx context.Context, target gate.Ref, k Key, now time.Time) (bool, error) {
	var pod corev1.Pod
	err := e.reader.Get(ctx, client.ObjectKey{Namespace: target.Namespace, Name: target.Name}, &pod)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if string(pod.UID) != target.UID {
		return false, nil
	}
	keys, err := e.keys(ctx, &pod, now)
	for _, shown := range keys {
		if shown.String() == k.String() && gate.WorkloadKey(shown.Root) == gate.WorkloadKey(k.Root) {
			return true, err
		}
	}
	return false, err
}

// wellIn is how many pods of a workload are well, of whatever revision.
func wellIn(w causes.World) int {
	n := 0
	for _, pods := range [][]causes.Pod{w.Pods, w.Others} {
		for _, p := range pods {
			if p.State == causes.Well {
				n++
			}
		}
	}
	return n
}
