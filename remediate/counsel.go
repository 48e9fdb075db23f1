package remediate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

const (
	counsellors = 4   // questions at once
	maxCounsel  = 256 // that wait; a happening for which there is no room is asked about when it is judged again
	maxHeard    = 4096
)

// counsel is about what a model is asked. Models take seconds, so the one goroutine that looks at the cluster never waits for one:
// the Case says at once what the causes found, and what a model adds comes after it.
type counsel struct {
	aside *flow.Aside

	lock sync.Mutex
	said map[string]bool // happenings on whose Case a model's opinion stands
}

func newCounsel(ctx context.Context) *counsel {
	return &counsel{aside: flow.NewAside(ctx, counsellors, maxCounsel), said: map[string]bool{}}
}

// heard is whether a model's opinion stands on the Case of a happening.
func (c *counsel) heard(k Key) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.said[k.String()]
}

// note says whether a model had a part in what stands on the Case of a happening now.
func (c *counsel) note(k Key, spoke bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.said) >= maxHeard {
		clear(c.said) // at worst the causes speak alone for a moment, before a model is asked again
	}
	if spoke {
		c.said[k.String()] = true
	} else {
		delete(c.said, k.String())
	}
}

// alone is the advisor without a model, which says why it stands alone.
func (p *patrol) alone(w causes.World) flow.Advisor {
	if p.Beside == nil {
		return p.Beside.Of(causes.Advisor(w))
	}
	return flow.Waiting(causes.Advisor(w))
}

// confer has a model asked about a happening, aside.
func (p *patrol) confer(k Key) {
	p.counsel.aside.Do(k.String(), func(ctx context.Context) {
		spoke := false
		err := flow.Shielded(p.Logger, "ask a model", func() (err error) {
			spoke, err = p.consult(ctx, k)
			return err
		})
		p.counsel.note(k, spoke)
		if err != nil && ctx.Err() == nil && !errors.Is(err, flow.ErrPanicked) {
			p.Logger.Warn("ask a model", "namespace", k.Root.Namespace, "error", gate.OneLine(err.Error(), 1024))
		}
	})
}

// consult looks at a happening anew, has a model asked about it, and keeps what came of it on the Case.
func (p *patrol) consult(ctx context.Context, k Key) (spoke bool, err error) {
	now := p.Now()
	e := eye{reader: p.Reader, owners: p.Owners, settle: p.Settle, secrets: p.Secrets, roots: newRoots(maxRoots, maxRoots, rootsFor)} // of its own: none is shared
	w, err := e.observe(ctx, k, now)
	if errors.Is(err, errGone) || err == nil && !w.Shows() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	key := client.ObjectKey{Namespace: k.Root.Namespace, Name: signalOf(k).CaseName()}
	var c v1alpha1.Case
	if err := p.Cases.Client.Get(ctx, key, &c); err != nil {
		return false, fmt.Errorf("read case %s: %w", key, err)
	}
	policy, err := p.Guardrails.Policy(ctx, k.Root.Namespace)
	if err != nil {
		return false, err
	}
	plan, _ := acting.Chosen(&c, gate.ReachLive)
	q := ask(k, w, plan)
	opinion := elected(causes.Assess(w, q.Facts.Menu), q.Facts, plan)
	circumstances(ctx, p.Circumstances, &q, opinion, since(&c, now))
	asked := q
	if asks, _ := flow.Asks(policy.Asking(), opinion); asks {
		p.brief(ctx, &asked, w)
	}
	asked.Asking = policy.Asking()
	opinion = p.Beside.Of(causes.Advisor(w)).Advise(ctx, asked)
	circumstances(ctx, p.Circumstances, &q, opinion, since(&c, now)) // again: now it is known what was chosen, and so of what the history is
	q.Evidence = asked.Evidence
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return opinion })
	j, recordErr := flow.Judge(ctx, p.Log, q, policy, said)
	judged := p.Cases.Judged(j, recordErr)
	err = p.keep(ctx, key, func(s *v1alpha1.CaseStatus) {
		judged(s)
		set(s, metav1.ConditionFalse, string(k.Symptom), q.Signal.Text, now)
	})
	return j.Assessment.Alone == "" && err == nil, errors.Join(err, recordErr)
}

// logsWithin bounds the reading of one log.
const logsWithin = 10 * time.Second
