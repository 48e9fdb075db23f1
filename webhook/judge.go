package webhook

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// lookBudget bounds a look: what does not answer in time is unread. Memory answers in microseconds, so only an informer that
// may not list ever needs it.
const lookBudget = 500 * time.Millisecond

// Sight is how a change is looked at: under which policy, in which world, at what time. Handler, Settler and Annotator share
// it, so that a rollout is judged the same way before and after it is let in.
type Sight struct {
	// Policy is the policy that holds in a namespace: cluster.Guardrails.Policy.
	Policy func(ctx context.Context, namespace string) (gate.Policy, error)
	// Look collects what is known of the cluster around a rollout, from memory: World.Look. unread names what could not be
	// read; an error means that nothing could.
	Look func(ctx context.Context, old, new runtime.Object) (r checks.Rollout, evidence []gate.Evidence, unread []string, err error)
	// Labels are the labels of a namespace, for the record: by them the past is decided again under other Guardrails. Nil:
	// nobody looks.
	Labels func(ctx context.Context, namespace string) gate.Fact[map[string]string]
	Now    func() time.Time
	// Around notes what decides about single places: Around.Look. It reads over the network, so a Handler has none. Nil: nobody
	// looks, and placement is not asked about.
	Around func(ctx context.Context, r *checks.Rollout) []gate.Evidence
	// Patience is how long a look may take. 0: half a second, which memory never needs and an API server would.
	Patience time.Duration
}

// sighting is a change with all that a verdict on it needs, and the verdict.
type sighting struct {
	change     Change
	rollout    checks.Rollout
	template   string // its hash
	question   flow.Question
	policy     gate.Policy
	assessment gate.Assessment
	decision   gate.Decision
}

// see looks at a change and weighs it. Nothing is recorded: what the change is called depends on what was found.
func (s Sight) see(ctx context.Context, c Change) (sighting, error) {
	looking, cancel := context.WithTimeout(ctx, cmp.Or(s.Patience, lookBudget))
	defer cancel()
	r, evidence, unread, err := s.Look(looking, c.was, c.is)
	if err != nil {
		return sighting{}, fmt.Errorf("look at the cluster around %s: %w", c.New.Ref, err)
	}
	r.Afterwards, r.By = c.Afterwards, c.User
	if s.Around != nil && checks.Oversize(r.New) == "" {
		for _, e := range s.Around(ctx, &r) {
			evidence = append(evidence, e)
			if e.Unread != "" {
				unread = append(unread, e.Source)
			}
		}
	}
	now := s.Now()
	out := sighting{change: c, rollout: r, template: checks.TemplateHash(&r.New), policy: s.policy(ctx, c.New.Ref.Namespace)}
	rollback, failing := checks.Facts(r)
	out.question = flow.Question{Evidence: evidence, OffRecord: c.DryRun, Facts: gate.Facts{At: now, Subject: c.New.Ref, Namespace: s.labels(ctx, c.New.Ref.Namespace), Unread: unread,
		Paused: gate.Known[[]string](nil), Rollback: rollback, Failing: failing,
		Brings: gate.Known(checks.Brings(r) && !isComponent(c.User)),
		Menu:   []gate.Action{admit(c.New.Ref)}}}
	out.assessment = checks.Advisor(r).Advise(ctx, out.question)
	out.assessment.Alone = "no model is asked while a request waits"
	out.decision = gate.Decide(out.policy, out.assessment, out.question.Facts).Decision
	out.question.Signal = signal(c, out, now)
	out.question.Case = cluster.CaseRef(out.question.Signal)
	return out, nil
}

// judge records the verdict on what was seen. The assessment is the one that was seen with: a second look would be another
// happening.
func (s Sight) judge(ctx context.Context, log flow.Log, seen sighting) (flow.Judgement, error) {
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return seen.assessment })
	return flow.Judge(ctx, log, seen.question, seen.policy, said)
}

func (s Sight) labels(ctx context.Context, namespace string) gate.Fact[map[string]string] {
	if s.Labels == nil {
		return gate.Fact[map[string]string]{}
	}
	return s.Labels(ctx, namespace)
}

// policy is the policy of a namespace. One that cannot be read holds everything and denies nothing, and says so.
func (s Sight) policy(ctx context.Context, namespace string) gate.Policy {
	p, err := s.Policy(ctx, namespace)
	if err == nil {
		return p
	}
	rail := cluster.Default().Rails[0]
	rail.Name, rail.Admission, rail.Unreadable = "(could not be read)", gate.AdmissionWarn, gate.OneLine(err.Error(), 1024)
	return gate.Policy{Rails: []gate.Rail{rail}}
}
