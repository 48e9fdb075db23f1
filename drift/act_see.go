package drift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// See looks at what a Case tells of. Of the Case it takes which fields the plan is about, as a hint where to look: what stands there,
// who changed it and what may be done about it is found out here, and comes to the same plan or to none.
func (p *Proposals) See(ctx context.Context, c *v1alpha1.Case, plan string, live bool) (acting.View, error) {
	d := p.Detector
	at, err := p.placeOf(ctx, c, live)
	if errors.Is(err, errNoSource) {
		return acting.View{}, acting.ErrGone
	}
	if err != nil {
		return acting.View{}, err
	}
	t := p.tree(ctx, at, live) // what is acted on is what Git has now
	if err := t.err(); err != nil {
		return acting.View{}, err
	}
	l, files, why, err := p.relook(ctx, t, signalOf(c).Subject, hinted(c, plan))
	if err != nil {
		return acting.View{}, err
	}
	d.understand(ctx, l, t, nil) // no word of the Case counts
	q := flow.Question{Signal: signalOf(c), Case: caseRef(c), Evidence: l.evidence,
		Facts: gate.Facts{At: d.Now(), Subject: l.subject, Menu: menu(l), Unread: l.unread}}
	d.circumstances(ctx, &q, l, at.key)
	v := acting.View{Question: q, Advisor: elected{l, plan}}
	i := slices.IndexFunc(q.Facts.Menu, func(m gate.Action) bool { return m.PlanDigest() == plan })
	if i < 0 {
		if why != "" {
			v.Unfit = held("plan", "what was judged cannot be proposed any more: "+why)
		}
		return v, nil // the plan has changed, and whoever asks says so
	}
	if saw := l.signal(at.key.Name, d.Now()); saw.Key != c.Spec.Signal.Key {
		v.Unfit = held("plan", "what differs is not what its Case is named by")
		return v, nil
	}
	named, why := p.proposalFor(at, l.subject)
	if why != "" {
		v.Unfit = held("hand", why)
		return v, nil
	}
	if !live {
		return v, nil
	}
	v.Unfit, err = p.prepare(ctx, c, l, named, at.delivery, files, &q.Facts.Menu[i])
	return v, err
}

// held is a reason for which nothing is proposed.
func held(rule, text string) *gate.Reason {
	return &gate.Reason{Rule: rule, Decision: gate.Hold, Text: gate.OneLine(text, 512)}
}

// hinted are the fields that the plan of a Case is about.
func hinted(c *v1alpha1.Case, plan string) []string {
	var paths []string
	for _, m := range c.Status.Menu {
		if m.Digest == plan {
			for _, e := range m.Edits {
				paths = append(paths, e.Path)
			}
			break
		}
	}
	return paths
}

// relook looks at fields of one object, in Git and in the cluster, and makes the edits that adopt them. why says what is not adopted any
// more. Without a dry run it tells less than look: nothing of other fields.
func (p *Proposals) relook(ctx context.Context, t tree, subject gate.Ref, paths []string) (l *look, files map[string][]byte, why string, err error) {
	d := p.Detector
	k, declared := t.find(source.Name{Group: subject.Group, Kind: subject.Kind, Namespace: subject.Namespace, Name: subject.Name})
	if !declared {
		return nil, nil, "", fmt.Errorf("commit %.12s does not declare it: %w", t.Commit, acting.ErrGone)
	}
	o := k.unfold()
	l = newLook(o, t.Commit)
	now := &unstructured.Unstructured{}
	now.SetGroupVersionKind(schema.GroupVersionKind{Group: l.subject.Group, Version: l.subject.Version, Kind: l.subject.Kind})
	l.subject = subject
	what := subject.Kind + "/" + subject.Name
	err = d.Client.Get(ctx, client.ObjectKey{Namespace: subject.Namespace, Name: subject.Name}, now)
	if apierrors.IsNotFound(err) || err == nil && string(now.GetUID()) != subject.UID {
		return nil, nil, "", fmt.Errorf("live %s: %w", what, acting.ErrGone)
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("read live %s: %w", what, err)
	}
	l.labels, l.release = now.GetLabels(), t.delivery.again()
	l.read(evidenceGit, whence(o)+" at commit "+t.Commit, gate.FromGit, d.Now(), "")
	l.read(evidenceLive, "live "+what, gate.FromAPI, d.Now(), "resourceVersion "+now.GetResourceVersion())
	a, drifts, err := p.rebuilt(t, l.subject, now, paths)
	if err != nil {
		return l, nil, line(err.Error()), nil
	}
	d.attest(ctx, l, now, drifts)
	past := t.past[o.Name]
	changed := past.changed(subject.UID, drifts)
	for i, one := range drifts {
		if one.Owner.Party == Person {
			drifts[i].Ahead = past.ahead(one, changed[one.Path.String()])
		}
	}
	l.base = t.ground.commit
	l.drifts, l.proposals = drifts, t.withheld(slices.Clone(a.proposals))
	return l, a.Files, "", nil
}

// memo is what was made again of one plan, on what was read of Git and on the version of the object.
type memo struct {
	of              *plans // which are new whenever Git is read anew
	version, fields string
	a               Adoption
	drifts          []Drift
	err             error
}

// mostMemos bounds what is remembered; when full all is forgotten, and made again.
const mostMemos = 1024

// rebuilt makes edits again, which takes rendering the repository many times; so it remembers what came of the same the last time. What
// waits is looked at again and again.
func (p *Proposals) rebuilt(t tree, subject gate.Ref, live *unstructured.Unstructured, paths []string) (Adoption, []Drift, error) {
	m := memo{of: t.plans, version: live.GetResourceVersion(), fields: fmt.Sprintf("%q", paths)}
	if known, ok := p.memos[subject.UID]; ok && known.of == m.of && known.version == m.version && known.fields == m.fields {
		return known.a, slices.Clone(known.drifts), known.err
	}
	if p.memos == nil || len(p.memos) >= mostMemos {
		p.memos = map[string]memo{}
	}
	m.a, m.drifts, m.err = rebuild(t, subject, live, paths)
	p.memos[subject.UID] = m
	return m.a, slices.Clone(m.drifts), m.err
}

// elected is the opinion of the rules on what was seen, with the choice that a plan stands for where the rules leave it open: there it is
// a model's, and a human has to have approved it, or what was tried before has to have earned it.
type elected struct {
	*look
	plan string
}

// Advise is what the rules say.
func (e elected) Advise(_ context.Context, q flow.Question) gate.Assessment {
	a := assess(e.look)
	i := slices.IndexFunc(q.Facts.Menu, func(m gate.Action) bool { return m.Reach == gate.ReachGit && m.PlanDigest() == e.plan })
	if i < 0 || len(a.Choice) > 0 || a.Open == "" {
		return a
	}
	a.Choice, a.Elected, a.Silent = []string{q.Facts.Menu[i].ID}, true, ""
	a.Score = gate.Known(100 - lost(e.look))
	return a
}

// prepare writes the pull request, whole, as the Request of a plan, unless there is a reason not to: what a person has said no to is not
// asked again.
func (p *Proposals) prepare(ctx context.Context, c *v1alpha1.Case, l *look, named forge.Proposal, by *Delivered, files map[string][]byte, plan *gate.Action) (unfit *gate.Reason, err error) {
	named.ValueHash = p.valueOf(signalOf(c))
	o, err := p.Hub.Standing(ctx, named)
	switch {
	case err != nil:
		return nil, err
	case o.State == forge.Rejected:
		return held("rejected", fmt.Sprintf("people closed pull request %s, which proposed the same: that is a no until a value changes", o.URL)), nil
	case o.State != forge.Open:
		if full, err := p.Hub.Full(ctx, named.Repository); err != nil || full != "" {
			return held("budget", "enough waits for people: "+full), err
		}
	}
	named.BaseCommit, named.Files, named.Labels = l.base, files, []string{"moorgate"}
	named.Draft = p.Draft
	named.Title = title(l)
	named.Body = p.story(c, l, by).Markdown(p.Detector.Door)
	body, err := json.Marshal(named)
	if err != nil {
		return nil, fmt.Errorf("write a pull request down: %w", err)
	}
	plan.Request = &gate.Request{Method: "POST", Path: "https://" + p.Hub.Host() + "/" + named.Repository + "/pulls", ContentType: "application/json", Body: body}
	return nil, nil
}
