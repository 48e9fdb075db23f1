package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook/checks"
)

// The law: whoever may apply a rollout may have a model asked about it before they do. Nothing is decided by that, let in or
// refused: all that stays is a Case that holds the question, under the very name that the gate looks for once the same change comes in.
// The name is made here, from what was brought and from what the cluster holds; what nobody applies, nobody looks for.

// What came of asking ahead.
const (
	AheadHeard    = "Heard"    // the model has spoken, and what it said waits for the rollout
	AheadAsked    = "Asked"    // it is being asked
	AheadUnasked  = "Unasked"  // nobody could be asked, or what they were asked came to nothing
	AheadNeedless = "Needless" // its word could not change the answer
)

// Asked is what came of asking ahead.
type Asked struct {
	State   string `json:"state"`             // one of the above
	Because string `json:"because,omitempty"` // why it is not Heard
	Case    string `json:"case,omitempty"`
	// Opinion is, where it is Heard, the one on the Case.
	Opinion *v1alpha1.Opinion `json:"opinion,omitempty"`
}

var (
	// ErrUnfit is that what was brought is no rollout of what was named.
	ErrUnfit = errors.New("this is no rollout that can be asked about")
	// ErrTooMany is that too much was asked ahead lately.
	ErrTooMany = errors.New("too much is being asked ahead; come again in a moment")
)

const (
	aheadVain = 30 * time.Second // that it was asked in vain is told for so long before it is asked anew
	// Questions that may be opened within a minute: each may cost a model's answer.
	aheadMost = 60
	aheadOf   = 10 // in one namespace
)

// Ahead has a model asked about rollouts that nobody has applied yet.
type Ahead struct {
	Sight
	// Kinds are what is scored.
	Kinds Kinds
	// Reader reads workloads and Cases.
	Reader client.Reader
	// Open opens the Case of a happening: cluster.Cases.Open.
	Open func(ctx context.Context, s gate.Signal, answer *v1alpha1.Answer, labels map[string]string) (*v1alpha1.Case, bool, error)
	// Away says why no model can be asked; empty where one can be.
	Away func() string
	Door *redact.Door

	turns  turns
	lately lately
}

// Ask has a model asked about a workload as it would be stored, which raw holds as JSON, or says what is known already. Asked again about the
// same, it tells how that goes.
func (a *Ahead) Ask(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey, raw []byte, user string) (Asked, error) {
	waiting, cancel := context.WithTimeout(ctx, turnBudget)
	defer cancel()
	done, err := a.turns.take(waiting, true)
	if err != nil {
		return Asked{}, fmt.Errorf("%w: %w", ErrTooMany, err)
	}
	defer done()
	c, err := a.change(ctx, kind, key, raw)
	if err != nil {
		return Asked{}, err
	}
	c.User = user
	seen, err := a.see(ctx, c)
	if err != nil {
		return Asked{}, err
	}
	on, most := seen.policy.OnPending()
	if why := needless(seen, on); why != "" {
		return Asked{State: AheadNeedless, Because: why}, nil
	}
	all, err := hearer{cases: a.Reader, now: a.Now(), most: most, vain: aheadVain}.hear(ctx, seen)
	if err != nil {
		return Asked{}, err
	}
	return a.tell(ctx, &seen, all)
}

// tell says what is known, and has the model asked where nothing is.
func (a *Ahead) tell(ctx context.Context, seen *sighting, all heard) (Asked, error) {
	out := Asked{State: AheadAsked, Case: all.signal.CaseName(), Because: beingAsked}
	opinion, in, alone := word(all.kase)
	switch away := a.Away(); {
	case opinion:
		told := all.kase.Status.Opinion
		return Asked{State: AheadHeard, Case: out.Case, Opinion: &told}, nil
	case in:
		out.State, out.Because = AheadUnasked, alone
	case away != "":
		return Asked{State: AheadUnasked, Because: away}, nil
	case all.kase != nil:
	case !a.lately.one(seen.change.New.Ref.Namespace, a.Now()):
		return Asked{}, ErrTooMany
	default:
		seen.call(all.signal)
		o := asking(seen, AskedAhead, a.Door)
		if _, _, err := a.Open(ctx, o.Signal, o.Answer, o.Labels); err != nil {
			return Asked{}, err
		}
	}
	return out, nil
}

// change is the change that a workload as brought would be.
func (a *Ahead) change(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey, raw []byte) (Change, error) {
	is, err := a.Kinds.read(metav1.GroupVersionKind(kind), raw)
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if is.GetName() != key.Name || is.GetNamespace() != key.Namespace {
		return Change{}, fmt.Errorf("%w: it is called %s/%s", ErrUnfit, is.GetNamespace(), is.GetName())
	}
	was, err := a.Kinds.get(ctx, a.Reader, kind, key)
	if err != nil {
		return Change{}, fmt.Errorf("read the live %s %s: %w", kind.Kind, key, err)
	}
	c := Change{Operation: string(admissionv1.Create), is: is, Steered: metav1.GetControllerOf(is) != nil}
	is.SetUID("") // it is the live object's, and not for who asks to say
	if was != nil {
		before, err := checks.FromObject(was)
		if err != nil {
			return Change{}, err
		}
		is.SetUID(was.GetUID())
		c.Operation, c.Old, c.was = string(admissionv1.Update), &before, was
	}
	if c.New, err = checks.FromObject(is); err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return c, nil
}

// needless is why a model's word could not change the answer; empty where it could.
func needless(seen sighting, on gate.OnPending) string {
	switch {
	case on == gate.PendingWarn:
		return "no Guardrail here keeps a rollout waiting for a model's word (onAdvice Deny, onPending Retry or Deny)"
	case !checks.TemplateChanged(seen.change.Old, seen.change.New):
		return "the pod template does not change"
	case seen.change.Steered:
		return "a controller owns it, and is never kept waiting"
	case !matters(seen):
		return "the checks decide it, whatever a model says"
	}
	return ""
}

// asking is the Case from which a model is asked about a rollout.
func asking(seen *sighting, said string, door *redact.Door) Opening {
	q := seen.question
	told := flow.Judgement{Question: q, Policy: seen.policy, Assessment: seen.assessment, Verdict: gate.Decide(seen.policy, seen.assessment, q.Facts)}
	answer := &v1alpha1.Answer{Said: said, User: plain(seen.change.User, 256), Opinion: cluster.Opinion(told), Brief: briefed(seen, door)}
	return Opening{Signal: q.Signal, Answer: answer, Labels: map[string]string{v1alpha1.LabelTemplate: seen.template,
		v1alpha1.LabelChange: checks.Change(seen.change.New)}}
}

// lately counts what was asked ahead within a minute. The zero lately is ready to use.
type lately struct {
	mu sync.Mutex
	at map[string][]time.Time // by namespace
}

// one reports whether one more may be asked, and counts it.
func (l *lately) one(namespace string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		l.at = map[string][]time.Time{}
	}
	all := 0
	for ns, times := range l.at {
		times = slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
		if l.at[ns] = times; len(times) == 0 {
			delete(l.at, ns)
		}
		all += len(times)
	}
	if all >= aheadMost || len(l.at[namespace]) >= aheadOf {
		return false
	}
	l.at[namespace] = append(l.at[namespace], now)
	return true
}
