package remediate

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// view is what was found out about a happening for acting on it.
type view struct {
	world    causes.World
	question flow.Question
	plan     string // the digest of what was chosen, which is all that is taken from a Case
}

// Advise has the opinion of this face on what was seen last, with what was chosen for a cause that no rule knows.
func (v *view) Advise(_ context.Context, q flow.Question) gate.Assessment {
	return elected(causes.Assess(v.world, q.Facts.Menu), q.Facts, v.plan)
}

// see looks at a happening. plan is the digest of what was chosen.
func (a *Acts) see(ctx context.Context, e eye, c *v1alpha1.Case, k Key, plan string) (view, error) {
	w, err := e.observe(ctx, k, a.Now())
	if err != nil {
		return view{}, err
	}
	v := view{world: w, question: ask(k, w, plan), plan: plan}
	if v.question.Case != client.ObjectKeyFromObject(c).String() {
		return view{}, fmt.Errorf("case %s/%s is not the Case of what it tells of, which is %s", c.Namespace, c.Name, v.question.Case)
	}
	circumstances(ctx, a.Circumstances, &v.question, v.Advise(ctx, v.question), since(c, w.At))
	return v, a.hear(ctx, v.question)
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
	if over(c) {
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

// chosen is the digest of the one live action that was chosen for a Case, if one was. Nothing else of it is believed.
func chosen(c *v1alpha1.Case) (string, bool) {
	if len(c.Status.Chosen) != 1 {
		return "", false
	}
	for _, m := range c.Status.Menu {
		if m.ID == c.Status.Chosen[0] {
			return m.Digest, m.Reach == gate.ReachLive.String()
		}
	}
	return "", false
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

// hear writes down every word of a human once: what an action rests on is in the log before the action is.
func (a *Acts) hear(ctx context.Context, q flow.Question) error {
	given, _ := q.Facts.Approvals.Get()
	for i := range given {
		what := fmt.Sprint(q.Case, given[i].Name, given[i].Approver, given[i].At.UnixNano())
		if a.words.has(what) {
			continue
		}
		_, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordApproval, Correlation: q.Case, Signal: &q.Signal, Approval: &given[i], Digest: given[i].Plan})
		if err != nil {
			return fmt.Errorf("write down what %s said about case %s: %w", given[i].Approver, q.Case, err)
		}
		a.words.since(what, a.Now())
	}
	return nil
}
