package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// RuleParent is the rule by which nothing is done about a part of a happening.
const RuleParent = "parent"

// maxAffected is how many workloads a Case names that it is about.
const maxAffected = 100

// parent is the Case that a happening is a part of, as namespace/name; empty for none. A node that is unwell comes first: what runs on it
// fares badly with it.
func (p *patrol) parent(k Key, w causes.World) string {
	if node, on := p.onUnwell(k, w); on {
		return cluster.CaseRef(signalOf(node))
	}
	if x := p.shares.of[k.String()]; x != nil && x.home != "" && x.share.Kind != namespaceKind {
		return cluster.CaseRef(signalOf(x.key(x.home)))
	}
	return ""
}

// onUnwell is the unwell node on which more than half of the pods are that show a symptom.
func (p *patrol) onUnwell(k Key, w causes.World) (Key, bool) {
	failing := w.Failing()
	on := map[string]int{}
	for _, pod := range failing {
		on[pod.Node]++
	}
	for name, n := range on {
		if node := p.unwell[name]; node != nil && 2*n > len(failing) {
			node.carries[k.Root.String()] = w.At
			return node.key, true
		}
	}
	return Key{}, false
}

// notice keeps which nodes are unwell, of what was shown just now.
func (p *patrol) notice(s subject, keys []Key) {
	if s.kind != nodeWard.kind.Kind {
		return
	}
	if len(keys) == 0 {
		delete(p.unwell, s.name)
		return
	}
	if old := p.unwell[s.name]; old == nil || old.key != keys[0] {
		p.unwell[s.name] = &ground{key: keys[0], carries: map[string]time.Time{}}
	}
}

// ground is a node that is unwell, with the workloads that fare badly on it and when they were looked at last.
type ground struct {
	key     Key
	carries map[string]time.Time
}

// carried are the workloads that fare badly on a node, where the happening is that of one.
func (p *patrol) carried(k Key) []string {
	node := p.unwell[k.Root.Name]
	if node == nil || k != node.key {
		return nil
	}
	maps.DeleteFunc(node.carries, func(_ string, at time.Time) bool { return p.Now().Sub(at) > 3*p.Sweep })
	return affected(slices.Sorted(maps.Keys(node.carries)))
}

// maxOpen is how many Cases are open in a namespace before no more are opened there, but one that tells so.
const maxOpen = 50

// noRoom is the shape of a happening that has no Case because its namespace has too many.
const noRoom = "no room"

// room is whether a happening may have a Case in its namespace. One that has one keeps it; one that may not is told of with the others.
func (p *patrol) room(ctx context.Context, k Key, s gate.Signal) bool {
	free := p.opened[k.Root.Namespace] < maxOpen
	if !free {
		var c v1alpha1.Case
		free = p.Cases.Client.Get(ctx, client.ObjectKey{Namespace: s.Subject.Namespace, Name: s.CaseName()}, &c) == nil
	}
	crowd := causes.Share{Kind: namespaceKind, Namespace: k.Root.Namespace, Name: k.Root.Namespace, Cause: gate.CauseOther}
	switch x := p.shares.of[k.String()]; {
	case !free:
		p.shares.join(k, crowd, p.Now())
	case x != nil && x.share == crowd:
		p.shares.leave(k)
	}
	return free
}

// share makes a happening a part of what it shares with others, or one of its own.
func (p *patrol) share(k Key, w causes.World, now time.Time) {
	share := causes.Shared(w)
	if x := p.shares.of[k.String()]; x != nil && x.share.Kind == namespaceKind && share.Name == "" {
		return // whether there is room now is seen when it is judged
	}
	p.shares.join(k, share, now)
}

// tellShared tells what enough workloads share, before it is told of each of them, and what changed of it.
func (p *patrol) tellShared(ctx context.Context) {
	for _, x := range p.shares.all {
		if x.due() && len(x.members) > 0 {
			p.visit(ctx, x.place(), "tell what several workloads share", func(ctx context.Context) error { return p.tell(ctx, x) })
		}
	}
}

// tell opens the Case of what is shared, and keeps it.
func (p *patrol) tell(ctx context.Context, x *sharing) error {
	now, home := p.Now(), x.place()
	k := x.key(home)
	names, namespaces := x.workloads()
	shape := fmt.Sprint(len(names), namespaces)
	if x.home == home && p.memory.knows(k, shape, now) {
		return nil
	}
	policy, err := p.Guardrails.Policy(ctx, home)
	if err != nil {
		policy = gate.Policy{Rails: []gate.Rail{{Name: "(unreadable)", Unreadable: err.Error()}}}
	}
	q := askShared(k, x, now)
	if _, _, err := p.Cases.Open(ctx, q.Signal, nil, nil); err != nil {
		if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil // the namespace went away, and what fails in it with it
		}
		return err
	}
	opinion := causes.AssessShared(x.share, len(names), namespaces)
	verdict, recordErr := flow.Judge(ctx, p.Log, q, policy, flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return opinion }))
	judged := p.Cases.Judged(verdict, recordErr)
	err = p.keep(ctx, client.ObjectKey{Namespace: home, Name: q.Signal.CaseName()}, func(s *v1alpha1.CaseStatus) {
		judged(s)
		s.Affects = affected(names)
		set(s, metav1.ConditionFalse, string(k.Symptom), q.Signal.Text, now)
	})
	if err := errors.Join(err, recordErr); err != nil {
		return err
	}
	p.memory.keep(k, shape, "", now)
	moved := x.home
	if x.home = home; moved != "" && moved != home {
		return p.moved(ctx, x, moved)
	}
	return nil
}

// moved ends the Case in the namespace that a share grew out of.
func (p *patrol) moved(ctx context.Context, x *sharing, from string) error {
	k := x.key(from)
	var c v1alpha1.Case
	err := p.Cases.Client.Get(ctx, client.ObjectKey{Namespace: from, Name: signalOf(k).CaseName()}, &c)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	text := "it reaches further than this namespace, and is told in " + cluster.CaseRef(signalOf(x.key(x.home)))
	return p.end(ctx, &c, k, func(s *v1alpha1.CaseStatus) {
		s.InhibitedBy = cluster.CaseRef(signalOf(x.key(x.home)))
		set(s, metav1.ConditionUnknown, "Gone", text, p.Now())
	}, "Gone", text)
}

func affected(names []string) (all []string) {
	for _, n := range names[:min(len(names), maxAffected)] {
		all = append(all, gate.OneLine(n, 320))
	}
	return all
}

// askShared makes the question of what is shared. Nothing that is on its menu touches a workload.
func askShared(k Key, x *sharing, now time.Time) flow.Question {
	names, namespaces := x.workloads()
	signal := signalOf(k)
	signal.At = now
	signal.Text = gate.OneLine(fmt.Sprintf("%s: %d in %d namespaces", k.title(), len(names), namespaces), 1024)
	told := gate.Evidence{ID: causes.EvidenceShared, Source: "workloads that share " + x.share.String(), At: now, Trust: gate.FromAPI,
		Text: gate.OneLine(fmt.Sprintf("%d: %s", len(names), orNone(names[:min(len(names), maxTold)])), 4096)}
	w := causes.World{Root: k.Root}
	return flow.Question{Signal: signal, Case: cluster.CaseRef(signal), Evidence: []gate.Evidence{told}, Facts: gate.Facts{At: now, Subject: k.Root,
		Menu: harmless(w), Failing: gate.Known(true), Drift: gate.Known(""), Rollback: gate.Known(false)}}
}

// inhibit says on the Case of a part, where it has one, of what it is a part. No Case is opened for it.
func (p *patrol) inhibit(ctx context.Context, k Key, w causes.World, parent string, now time.Time) error {
	shape := "part of " + parent
	if p.memory.knows(k, shape, now) {
		return nil
	}
	q := ask(k, w, "")
	key := client.ObjectKey{Namespace: k.Root.Namespace, Name: q.Signal.CaseName()}
	var c v1alpha1.Case
	err := p.Cases.Client.Get(ctx, key, &c)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	if err != nil || Over(&c) || c.Status.InhibitedBy == parent {
		p.memory.keep(k, shape, "", now)
		return nil
	}
	cause, _ := causes.Of(w)
	verdict := gate.Verdict{Decision: gate.Hold, Reasons: []gate.Reason{{Rule: RuleParent, Decision: gate.Hold, Text: "it is a part of " + parent + ", and nothing is done about a part"}}}
	q.Facts.Menu = nil
	j := flow.Judgement{Question: q, Assessment: gate.Assessment{Advisor: "causes", Cause: cause.ID}, Verdict: verdict}
	j.Position, err = p.Log.Append(ctx, gate.Record{Kind: gate.RecordVerdict, Correlation: q.Case, Signal: &q.Signal, Verdict: &verdict})
	judged := p.Cases.Judged(j, err)
	keepErr := p.keep(ctx, key, func(s *v1alpha1.CaseStatus) {
		judged(s)
		s.InhibitedBy = parent
		set(s, metav1.ConditionFalse, string(k.Symptom), q.Signal.Text, now)
	})
	if err := errors.Join(err, keepErr); err != nil {
		return err
	}
	p.memory.keep(k, shape, "", now)
	return nil
}

// adopt remembers a share of which a Case tells, also one that an earlier run opened.
func (p *patrol) adopt(k Key, namespace string) {
	x := p.shares.known(shareOf(k), p.Now())
	if x == nil {
		return
	}
	if x.key(namespace) == k && (x.home == "" || namespace == cluster.OwnNamespace) {
		x.home = namespace
	}
	p.shares.drop(x)
}

// sharedOver says on the Case of what was shared that it is over, once nobody is left that takes part. Who was not looked at lately is
// looked at now; after a start, time is given to everybody to be found.
func (p *patrol) sharedOver(ctx context.Context, c *v1alpha1.Case, k Key) error {
	x := p.shares.all[shareOf(k)]
	if x == nil || x.home != c.Namespace {
		return nil
	}
	now := p.Now()
	for _, m := range x.members {
		if now.Sub(m.at) < 2*p.Sweep {
			continue
		}
		w, err := p.eye.observe(ctx, m.key, now)
		switch {
		case errors.Is(err, errGone), err == nil && !w.Shows():
			p.shares.leave(m.key)
		case err != nil:
			return fmt.Errorf("look whether %s still shares %s: %w", m.key.Root, x.share, err)
		case x.share.Kind != namespaceKind:
			p.share(m.key, w, now)
		}
	}
	if len(x.members) > 0 || now.Sub(x.since) < 3*p.Sweep {
		return nil
	}
	text := fmt.Sprintf("nobody fares badly any more because of %s", x.share)
	err := p.end(ctx, c, k, func(s *v1alpha1.CaseStatus) { set(s, metav1.ConditionTrue, "Ready", text, now) }, "Ready", text)
	if err == nil {
		x.home = ""
		p.shares.drop(x)
	}
	return err
}
