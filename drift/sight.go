package drift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// Asked says what to look at.
type Asked struct {
	Namespace string
	Source    string // the name of the GitSource; empty where a folder is compared that no GitSource names
	From      Repository
	Secret    client.ObjectKey // with what From is read; empty: with nothing
	// Delivered is what is compared in place of a folder of From; nil: none is.
	Delivered *Delivered
	// Others are all that is delivered, by which it is told what a delivery left behind; nil: that is not known, and is not told.
	Others []Delivered
	// Wanted says which objects are looked at; nil: all that are declared.
	Wanted func(source.Name) bool
	// Told is called after each of them, from one place at a time; nil: nobody is told.
	Told func(done, all int)
}

// Report is what one look at a repository and a namespace found.
type Report struct {
	Commit   string
	Compared int // objects that were compared, whether or not they differ
	Sights   []Sight
	// Left names what was not compared and why: "ignored, because they belong elsewhere: web in namespace x (deploy/web.yaml:2)".
	Left []string
}

// Sight is one object that differs from Git, that the cluster does not have, that Git does not declare any more, or that could not be
// compared.
type Sight struct {
	Subject gate.Ref
	Place   string // file and line where Git declares it: deploy/web.yaml:2
	Absent  bool   // the cluster does not have it
	Orphan  string // why it is there though Git does not declare it any more; empty: Git does
	Changes []Change
	Unread  []string // what could not be read; without it nothing here is a drift
	// ByOwners: no dry run was possible, and Changes are what managedFields tell: fields that a person owns and whose text is not Git's.
	ByOwners   bool
	Assessment gate.Assessment // of the rules alone
	Case       *v1alpha1.Case  // that is kept of it; nil: there is none, or it could not be read
	CaseUnread string          // why it could not be read
}

// Change is one drift as people may be shown it.
type Change struct {
	Path      source.Path
	Git, Live string // JSON, or masked
	Masked    bool
	Missing   bool // the live object does not have it
	Added     bool // Git does not have it
	Owner     Owner
	Place     string // file and line of the field in Git, or where its object begins
	Ahead     string
}

// looks is how many objects are looked at side by side where somebody waits for the answer.
const looks = 8

// Look compares all that a repository declares for a namespace, as a round does, and keeps nothing of it: no Case, no record, no
// status. Of the Detector's fields it needs Client, Git and Now. It needs the rights to read the objects and to patch them in dry
// runs; without the second it says what managedFields tell.
func (d *Detector) Look(ctx context.Context, a Asked) (Report, error) {
	t, err := d.asked(ctx, a)
	if err != nil {
		return Report{}, err
	}
	if t.unsound != nil {
		return Report{}, t.unsound
	}
	wanted := slices.DeleteFunc(slices.Clone(t.objects), func(k folded) bool { return a.Wanted != nil && !a.Wanted(k.Name) })
	found := make([]*look, len(wanted))
	sights := make([]Sight, len(wanted))
	var at sync.WaitGroup
	var lock sync.Mutex
	done, turns := 0, make(chan struct{}, looks)
	for i, k := range wanted {
		turns <- struct{}{}
		at.Go(func() {
			defer func() { <-turns }()
			found[i] = newLook(k.unfold(), t.Commit)
			if ctx.Err() == nil {
				sights[i] = d.sight(ctx, a, found[i], t)
			}
			lock.Lock()
			defer lock.Unlock()
			if done++; a.Told != nil {
				a.Told(done, len(wanted))
			}
		})
	}
	at.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("compare namespace %s: %w", a.Namespace, err)
	}
	r := Report{Commit: t.Commit, Left: t.left(t.Skipped)}
	for i, l := range found {
		if l.left != "" {
			r.Left = append(r.Left, line(fmt.Sprintf("left as it is, because Git says so: %s (%s)", l.object.Name.Name, l.left)))
		}
		if l.moving {
			r.Left = append(r.Left, line("being delivered just now: "+l.object.Name.Name))
		}
		if !l.absent && !l.moving && l.left == "" && len(l.unread) == 0 {
			r.Compared++
		}
		if l.absent || l.happening() {
			r.Sights = append(r.Sights, sights[i])
		}
	}
	d.seeOrphans(ctx, a, t, &r)
	return r, nil
}

// seeOrphans adds what a delivery left behind to a report.
func (d *Detector) seeOrphans(ctx context.Context, a Asked, t tree, r *Report) {
	if !t.orphans() {
		return
	}
	found, err := []gate.Ref(nil), errors.New("not all that Flux and Argo CD deliver could be listed")
	if a.Others != nil {
		found, _, err = d.orphansOf(ctx, t, a.Others, searched{})
	}
	if err != nil {
		r.Left = append(r.Left, line("whether something was left behind that Git does not declare any more is not known: "+err.Error()))
		return
	}
	found = slices.DeleteFunc(found, func(o gate.Ref) bool {
		return a.Wanted != nil && !a.Wanted(source.Name{Group: o.Group, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name})
	})
	if len(found) == 0 {
		return
	}
	l := d.orphaned(client.ObjectKey{Namespace: a.Namespace, Name: a.Source}, t, found)
	k, unread := d.caseOf(ctx, a, l)
	for _, o := range found {
		r.Sights = append(r.Sights, Sight{Subject: o, Orphan: line(l.many.text), Case: k, CaseUnread: unread, Assessment: assess(l)})
	}
}

// asked is the repository that somebody asks about.
func (d *Detector) asked(ctx context.Context, a Asked) (tree, error) {
	y := a.Delivered
	if y == nil {
		read, err := d.read(ctx, a.From, a.Secret, "")
		if err != nil {
			return tree{}, err
		}
		return parse(read, tree{sealer: d.Secrets, more: d.More}, a.Namespace, render.Own(a.From.Path)), nil
	}
	if y.Problem != "" {
		return tree{}, errors.New(y.Problem)
	}
	return d.readDelivered(ctx, y, tree{sealer: d.Secrets, more: d.More})
}

// left tells what of a repository was not compared.
func (t tree) left(skipped []string) []string {
	r := round{tree: t}
	for _, s := range skipped {
		r.skipped.add(s)
	}
	return r.told()
}

func (d *Detector) sight(ctx context.Context, a Asked, l *look, t tree) Sight {
	d.look(ctx, l, t)
	s := Sight{Subject: l.subject, Place: whence(l.object), Absent: l.absent, Unread: l.unread}
	if l.untried() {
		s.ByOwners = true
		if err := d.byOwners(ctx, l); err != nil {
			s.Unread = append(s.Unread, line(err.Error()))
		}
	}
	d.plan(ctx, l, t, false)
	for i, one := range l.drifts {
		git, live := one.texts()
		s.Changes = append(s.Changes, Change{Path: one.Path, Git: git, Live: live, Masked: !one.shown(), Missing: one.Missing, Added: one.Added, Owner: one.Owner,
			Place: l.proposals[i].where, Ahead: one.Ahead})
	}
	if l.absent {
		s.Case, s.CaseUnread = d.deletionCase(ctx, a, l)
	}
	if l.happening() {
		s.Case, s.CaseUnread = d.caseOf(ctx, a, l)
		d.understand(ctx, l, t, s.Case)
		s.Assessment = assess(l)
	}
	return s
}

// untried reports whether all that is missing is the dry run.
func (l *look) untried() bool {
	return len(l.unread) == 1 && slices.ContainsFunc(l.evidence, func(e gate.Evidence) bool { return e.ID == evidenceDryRun && e.Unread != "" })
}

// byOwners finds the fields that a person owns and whose live text is not the text in Git: another way to write the same quantity
// is among them, because only the API server can tell.
func (d *Detector) byOwners(ctx context.Context, l *look) error {
	live, err := d.live(ctx, l)
	if err != nil {
		return fmt.Errorf("who owns its fields: %w", err)
	}
	drifts, err := owned(live, prepared(l.object.Desired, live))
	if err != nil {
		return err
	}
	drifts = d.driftsOf(ctx, l, drifts)
	d.attest(ctx, l, live, drifts)
	l.drifts = drifts
	return nil
}

// caseOf is the Case that the judge keeps of what was seen. Where it is not known by which GitSource, it is the one about the same
// object whose drift stands.
func (d *Detector) caseOf(ctx context.Context, a Asked, l *look) (*v1alpha1.Case, string) {
	name := l.signal(a.Source, d.Now()).CaseName()
	return d.caseWhere(ctx, l.subject, func(k *v1alpha1.Case) bool {
		return k.Name == name || (a.Source == "" && !asksToHold(k) && meta.IsStatusConditionPresentAndEqual(k.Status.Conditions, CaseDrifted, metav1.ConditionTrue))
	})
}

// deletionCase is the Case by which the judge tells that an absent object was deleted: its own, or one of many.
func (d *Detector) deletionCase(ctx context.Context, a Asked, l *look) (*v1alpha1.Case, string) {
	return d.caseWhere(ctx, l.subject, func(k *v1alpha1.Case) bool {
		own := k.Spec.Signal.Reason == reasonDeleted && k.Labels[v1alpha1.LabelWorkload] == cluster.WorkloadLabel(l.subject)
		return (own || k.Spec.Signal.Reason == reasonDeletedTogether && tellsOf(k, l.subject)) &&
			(a.Source == "" || k.Labels[LabelSource] == sourceLabel(a.Source)) && !meta.IsStatusConditionFalse(k.Status.Conditions, CaseDrifted)
	})
}

// caseWhere is the first of the Cases that may be about an object which fits, or why they cannot be read.
func (d *Detector) caseWhere(ctx context.Context, r gate.Ref, fits func(*v1alpha1.Case) bool) (*v1alpha1.Case, string) {
	cases, err := d.driftCases(ctx, r)
	switch {
	case meta.IsNoMatchError(err):
		return nil, ""
	case apierrors.IsForbidden(err):
		return nil, "you may not list Cases in " + r.Namespace
	case err != nil:
		return nil, line(err.Error())
	}
	for i := range cases {
		if fits(&cases[i]) {
			return &cases[i], ""
		}
	}
	return nil, ""
}
