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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

// Sight is one object that differs from Git, that the cluster does not have, or that could not be compared.
type Sight struct {
	Subject gate.Ref
	Place   string // file and line where Git declares it: deploy/web.yaml:2
	Absent  bool   // the cluster does not have it
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
	wanted := slices.DeleteFunc(slices.Clone(t.objects), func(o source.Object) bool { return a.Wanted != nil && !a.Wanted(o.Name) })
	found := make([]*look, len(wanted))
	sights := make([]Sight, len(wanted))
	var at sync.WaitGroup
	var lock sync.Mutex
	done, turns := 0, make(chan struct{}, looks)
	for i, o := range wanted {
		turns <- struct{}{}
		at.Go(func() {
			defer func() { <-turns }()
			found[i] = newLook(o, t.Commit)
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
	return r, nil
}

// asked is the repository that somebody asks about.
func (d *Detector) asked(ctx context.Context, a Asked) (tree, error) {
	y := a.Delivered
	if y == nil {
		read, err := d.read(ctx, a.From, a.Secret, "")
		if err != nil {
			return tree{}, err
		}
		return parse(read, tree{}, a.Namespace, render.Own(a.From.Path)), nil
	}
	if y.Problem != "" {
		return tree{}, errors.New(y.Problem)
	}
	return d.readDelivered(ctx, y, tree{})
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
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(l.object.Desired.GroupVersionKind())
	if err := d.Client.Get(ctx, client.ObjectKey{Namespace: l.subject.Namespace, Name: l.subject.Name}, live); err != nil {
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
	var list v1alpha1.CaseList
	err := d.Client.List(ctx, &list, client.InNamespace(l.subject.Namespace),
		client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift), v1alpha1.LabelWorkload: cluster.WorkloadLabel(l.subject)})
	switch {
	case meta.IsNoMatchError(err):
		return nil, ""
	case apierrors.IsForbidden(err):
		return nil, "you may not list Cases in " + l.subject.Namespace
	case err != nil:
		return nil, line(err.Error())
	}
	name := l.signal(a.Source, d.Now()).CaseName()
	for i, k := range list.Items {
		if k.Name == name || (a.Source == "" && meta.IsStatusConditionPresentAndEqual(k.Status.Conditions, CaseDrifted, metav1.ConditionTrue)) {
			return &list.Items[i], ""
		}
	}
	return nil, ""
}
