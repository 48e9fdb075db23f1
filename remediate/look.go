package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// sight is a happening with the world as it was seen.
type sight struct {
	key   Key
	world causes.World
}

// look looks at one pod, or another object, and adds to what was seen whatever it shows that was not looked at lately.
func (p *patrol) look(ctx context.Context, s subject, seen *[]sight) error {
	if s.kind == "" {
		return p.sweepPodsOf(ctx, s.namespace)
	}
	keys, err := p.shown(ctx, s)
	if err != nil {
		return err
	}
	p.notice(s, keys)
	now := p.Now()
	var errs []error
	for _, k := range keys {
		if p.memory.looked(k, now, p.Sweep) || slices.ContainsFunc(*seen, func(x sight) bool { return x.key == k }) {
			continue
		}
		w, err := p.eye.observe(ctx, k, now)
		switch {
		case errors.Is(err, errGone), err == nil && !w.Shows():
			p.shares.leave(k)
		case err != nil:
			errs = append(errs, fmt.Errorf("look at %s: %w", k.title(), err))
		default:
			p.share(k, w, now)
			*seen = append(*seen, sight{k, w})
		}
	}
	return errors.Join(errs...)
}

// shown are the happenings that a pod, or another object, shows now.
func (p *patrol) shown(ctx context.Context, s subject) ([]Key, error) {
	now := p.Now()
	if ward := wardOf(s.kind); ward != nil {
		return p.eye.tended(ctx, ward, s, now)
	}
	var pod corev1.Pod
	err := p.Reader.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.name}, &pod)
	if apierrors.IsNotFound(err) || err == nil && s.uid != "" && s.uid != string(pod.UID) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read pod %s/%s, which an event speaks of: %w", s.namespace, s.name, err)
	}
	return p.eye.keys(ctx, &pod, now)
}

// judge opens the Case of what was seen, asks for a verdict and keeps it, unless it was judged lately and looks the same. What is a part of
// another happening is told there.
func (p *patrol) judge(ctx context.Context, s sight) error {
	k, w, now := s.key, s.world, s.world.At
	if parent := p.parent(k, w); parent != "" {
		return p.inhibit(ctx, k, w, parent, now)
	}
	plan := p.planned(ctx, k)
	q := ask(k, w, plan)
	carried := p.carried(k)
	policy, policyErr := p.Guardrails.Policy(ctx, k.Root.Namespace)
	if policyErr != nil {
		policy = gate.Policy{Rails: []gate.Rail{{Name: "(unreadable)", Unreadable: policyErr.Error()}}}
	}
	silenced := policy.Silenced(q.Facts)
	shape := shapeOf(w, q.Facts.Menu) + strings.Join(carried, " ") + silenced // a silence that begins or ends is told
	if p.memory.knows(k, shape, now) && stands(plan, w, q.Facts.Menu) {
		return nil
	}
	if !p.room(ctx, k, q.Signal) {
		p.memory.keep(k, noRoom, "", now)
		return nil
	}
	opened, isNew, err := p.Cases.Open(ctx, q.Signal, nil, nil)
	if isNew {
		p.opened[k.Root.Namespace]++
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // it goes away, and what fails in it with it
	}
	if err != nil {
		return err
	}
	if p.Beside != nil && p.counsel.heard(k) { // the Case holds what a model said: what is said next has to hold that too
		p.memory.keep(k, shape, plan, now)
		p.confer(k)
		return nil
	}
	choice := p.circumstances(ctx, &q, w, opened, isNew)
	verdict, recordErr := flow.Judge(ctx, p.Log, q, policy, p.alone(w))
	judged := p.Cases.Judged(verdict, recordErr)
	key := client.ObjectKey{Namespace: k.Root.Namespace, Name: q.Signal.CaseName()}
	err = p.keep(ctx, key, func(s *v1alpha1.CaseStatus) {
		judged(s)
		s.Images, s.InhibitedBy, s.Affects = imagesOf(w), "", carried
		set(s, metav1.ConditionFalse, string(k.Symptom), q.Signal.Text, now)
	})
	if err := errors.Join(err, recordErr, policyErr); err != nil {
		return err
	}
	if plan = ""; choice.ID != "" {
		plan = choice.PlanDigest()
	}
	p.memory.keep(k, shape, plan, now)
	if asks, _ := flow.Asks(policy.Asking(), verdict.Assessment); asks && silenced == "" && p.Beside != nil {
		p.confer(k)
	}
	return nil
}

// imagesOf is what the container runs that fares badly. The gate remembers it.
func imagesOf(w causes.World) []string {
	failing := w.Failing()
	if len(failing) == 0 || failing[0].Image == "" || len(failing[0].Image) > imageMax {
		return nil
	}
	return []string{failing[0].Image}
}

// imageMax is how long an image is that a Case takes.
const imageMax = 512

// planned is the digest of what was chosen for a happening before, also by an earlier run.
func (p *patrol) planned(ctx context.Context, k Key) string {
	if plan, remembers := p.memory.plan(k); remembers {
		return plan
	}
	var c v1alpha1.Case
	if err := p.Cases.Client.Get(ctx, client.ObjectKey{Namespace: k.Root.Namespace, Name: signalOf(k).CaseName()}, &c); err != nil {
		return "" // most often there is none yet
	}
	plan, _ := acting.Chosen(&c, gate.ReachLive)
	return plan
}

// circumstances adds to a question what the rules about acting ask for, and returns the action that is going to be chosen.
func (p *patrol) circumstances(ctx context.Context, q *flow.Question, w causes.World, c *v1alpha1.Case, isNew bool) gate.Action {
	began := gate.Known(w.At)
	if !isNew {
		if err := p.Cases.Client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			began = gate.Unknown[time.Time]("its Case cannot be read")
		} else {
			began = since(c, w.At)
		}
	}
	return circumstances(ctx, p.Circumstances, q, causes.Assess(w, q.Facts.Menu), began)
}

// keep writes the status of a Case. Where somebody else wrote at the same time it reads again and tries again: what was
// recorded on the way must not be recorded anew for that.
func (p *patrol) keep(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.CaseStatus)) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error { return p.Cases.Keep(ctx, key, change) })
}

// shapeOf is what a judgement rests on, without what changes from one crash to the next: counts, and which pod is first.
func shapeOf(w causes.World, menu []gate.Action) string {
	cause, _ := causes.Of(w)
	whole, _ := w.Whole().Get()
	shape := fmt.Sprint(cause.ID, whole, w.Unread())
	for _, a := range menu {
		a.Target = w.Root
		shape += a.PlanDigest()
	}
	return shape
}

// ask makes the question of what was seen. plan is the digest of what was chosen before: where that may still be done, it is
// offered again rather than the same to another pod, so that who approves it has the time to.
func ask(k Key, w causes.World, plan string) flow.Question {
	signal := signalOf(k)
	signal.At = w.At
	signal.Text = k.title()
	if k.Symptom.OfPod() {
		signal.Text += fmt.Sprintf(": %d of %d pods", len(w.Failing()), len(w.Pods))
	}
	cause, _ := causes.Of(w)
	return flow.Question{Signal: signal, Case: cluster.CaseRef(signal), Evidence: w.Evidence, Facts: gate.Facts{
		At: w.At, Subject: k.Root, Symptom: string(k.Symptom), Menu: menu(w, cause, plan), Failing: gate.Known(true), Drift: gate.Known(""), Unread: w.Unread(),
		Rollback: gate.Known(false), Owner: ownerOf(w),
	}}
}

// signalOf is what a happening is known by: no time and no numbers.
func signalOf(k Key) gate.Signal {
	return gate.Signal{Face: gate.FaceRemediate, Reason: string(k.Symptom), Subject: k.Root, Key: k.String()}
}
