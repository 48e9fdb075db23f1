package drift

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// What Git declares and the cluster does not have may not be delivered yet. It was deleted only where it is known to have been there: who
// delivers says that it applied it, a round saw it, or its Case stands. Before that counts it is asked once more whether Git still
// declares it and whether a delivery, or all of the namespace, is on its way; from then on it is told for as long as it is absent.

// reasonDeleted is the word for an object that was there, and is not.
const reasonDeleted = "ObjectDeleted"

// namedWithin is how long it is looked for who was seen to delete an object: the API server tells of it at once, and it is written aside.
const namedWithin = 10 * time.Minute

// loss is what is known of an object since the cluster does not have it. The zero loss is that of an object that is there.
type loss struct {
	noticed time.Time
	sought  bool // for a Case that was opened of it before this process knew it
	counts  bool // it was deleted, and is told to be
	by      Owner
	alone   bool   // it has a Case of its own
	among   string // the key of the Case of many that tells of it
}

// alive notes that the object is there, under that UID.
func (p *past) alive(uid string) { p.there, p.loss = uid, loss{} }

// deleted finds out whether an object that the cluster does not have was deleted, and notes that on the look.
func (d *Detector) deleted(ctx context.Context, of client.ObjectKey, l *look, r *round) {
	p := r.tree.past[l.object.Name]
	if p.loss.noticed.IsZero() {
		p.loss.noticed = d.Now()
	}
	if !p.loss.counts && !d.lost(ctx, of, l, r, p) {
		return
	}
	l.gone, l.subject.UID = true, p.there
	l.read(evidenceLive, "live "+l.subject.Kind+"/"+l.subject.Name, gate.FromAPI, d.Now(), "the cluster does not have it any more")
	l.back = back(whence(l.object), l.commit, r.tree.delivery)
	if p.loss.by.User == "" && d.Now().Sub(p.loss.noticed) <= namedWithin {
		p.loss.by = d.deleter(ctx, l)
	}
	l.by, p.loss.counts = p.loss.by, true
	if l.by.User != "" {
		l.read(evidenceWitness, "what people were seen to do to "+l.subject.Kind+"/"+l.subject.Name, gate.FromAPI, d.Now(), "it was seen to be deleted") // a name here would reach a model
	}
}

// lost reports whether an absent object that nothing was told of yet counts as deleted.
func (d *Detector) lost(ctx context.Context, of client.ObjectKey, l *look, r *round, p *past) bool {
	if !p.loss.sought && p.there == "" {
		before, err := d.stoodBefore(ctx, of, l.subject, r)
		if err != nil {
			l.missed(evidenceLive, "whether it was there before", d.Now(), unanswered(err))
			return false
		}
		p.loss.sought = true
		if before != nil {
			p.there, p.loss.among, p.loss.alone = before.uid, before.among, before.among == ""
			return true
		}
	}
	switch y := r.tree.delivery; {
	case y == nil && (p.there == "" || !r.tree.at.After(p.loss.noticed)):
		return false // nobody saw it; or Git was read before it went, and may not declare it by now
	case y != nil && !y.brought(l):
		return false
	}
	if ending, err := r.ending(ctx, d.Client, l.subject.Namespace); ending || err != nil {
		if err != nil {
			l.missed(evidenceLive, "namespace "+l.subject.Namespace, d.Now(), unanswered(err))
		}
		return false
	}
	return !d.unsettled(ctx, l, r.tree)
}

// hooks are the annotations by which an object is applied for the time of a delivery, and may be taken away after it.
var hooks = []string{"argocd.argoproj.io/hook", "helm.sh/hook"}

// brought reports whether who delivers says that it applied an object to stay.
func (y *Delivered) brought(l *look) bool {
	annotations := l.object.Desired.GetAnnotations()
	if slices.ContainsFunc(hooks, func(name string) bool { return annotations[name] != "" }) {
		return false
	}
	return y.stored != (client.ObjectKey{}) || y.applied[l.object.Name]
}

// stood is what an earlier process told of an object that was deleted.
type stood struct {
	uid   string
	among string // the key of the Case of many that tells of it; empty: it has its own
	since metav1.Time
}

// stoodBefore finds the Case by which an earlier process told that an object was deleted; nil where there is none. All Cases of the source
// are listed once a round at most.
func (d *Detector) stoodBefore(ctx context.Context, of client.ObjectKey, subject gate.Ref, r *round) (*stood, error) {
	if r.stood == nil {
		cases, err := d.casesOf(ctx, of)
		if err != nil {
			return nil, err
		}
		r.stood = map[string]*stood{}
		for i := range cases {
			r.stand(&cases[i])
		}
	}
	return r.stood[cluster.WorkloadLabel(subject)], nil
}

// stand notes what a Case tells of objects that were deleted. Of several Cases the newest counts.
func (r *round) stand(k *v1alpha1.Case) {
	if meta.IsStatusConditionFalse(k.Status.Conditions, CaseDrifted) {
		return
	}
	note := func(label string, now stood) {
		if before := r.stood[label]; before == nil || before.since.Before(&now.since) {
			r.stood[label] = &now
		}
	}
	switch since := k.Spec.Signal.FirstSeen; k.Spec.Signal.Reason {
	case reasonDeleted:
		note(k.Labels[v1alpha1.LabelWorkload], stood{uid: k.Spec.Subject.UID, since: since})
	case reasonDeletedTogether:
		for _, o := range k.Status.Objects {
			note(cluster.WorkloadLabel(gate.Ref{Group: o.Group, Kind: o.Kind, Name: o.Name}), stood{uid: o.UID, among: k.Spec.Signal.Key, since: since})
		}
	}
}

// ending reports whether the namespace is on its way out, or gone: what goes with it was not deleted by itself.
func (r *round) ending(ctx context.Context, reader client.Reader, namespace string) (bool, error) {
	if r.stays {
		return false, nil
	}
	var ns corev1.Namespace
	err := reader.Get(ctx, client.ObjectKey{Name: namespace}, &ns)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read namespace %s: %w", namespace, err)
	}
	r.stays = ns.DeletionTimestamp == nil
	return !r.stays, nil
}

// deleter is who was seen to delete an object; the zero Owner where nobody was, or more than one, of whom one may have been refused.
func (d *Detector) deleter(ctx context.Context, l *look) Owner {
	cases, err := witnessedCases(ctx, d.Client, l.subject)
	switch {
	case meta.IsNoMatchError(err):
		return Owner{}
	case err != nil:
		l.evidence = append(l.evidence, gate.Evidence{ID: evidenceWitness, Source: "who was seen to delete it", At: d.Now(), Trust: gate.FromAPI,
			Unread: "the Cases about that cannot be read"})
		return Owner{}
	}
	var by Owner
	for i := range cases {
		w := cases[i].Spec.Witness
		switch {
		case l.subject.UID == "" || w.Operation != "DELETE" || cases[i].Spec.Signal.Reason != v1alpha1.ReasonWitnessed:
		case by.User != "" && by.User != w.User:
			return Owner{}
		default:
			by = Owner{User: w.User, SeenAs: w.Manager, SeenAt: w.At.Time, Time: w.At.Time, Party: Person}
		}
	}
	return by
}

// back tells what it takes to have again what a commit declares.
func back(what, commit string, y *Delivered) string {
	text := fmt.Sprintf("deliver %s of commit %.12s again the usual way", what, commit)
	if y == nil {
		return text
	}
	namespace, name := y.owner.Namespace, y.owner.Name
	switch {
	case y.owner.Kind == applicationKind.Kind:
		return text + fmt.Sprintf(": argocd app sync %s -N %s", name, namespace)
	case y.Suspended && y.owner.Kind == helmReleaseKind.Kind:
		return text + fmt.Sprintf(": flux resume helmrelease %s -n %s, and flux reconcile helmrelease %s -n %s --force", name, namespace, name, namespace)
	case y.Suspended:
		return text + fmt.Sprintf(": flux resume kustomization %s -n %s", name, namespace)
	case y.owner.Kind == helmReleaseKind.Kind:
		return text + fmt.Sprintf(": flux reconcile helmrelease %s -n %s --force", name, namespace)
	}
	return text + fmt.Sprintf(": flux reconcile kustomization %s -n %s", name, namespace)
}

// deletion tells of it, to people and to a model: no user is named.
func (l *look) deletion() gate.Finding {
	f := gate.Finding{ID: "object-deleted", Evidence: []string{evidenceGit, evidenceLive}, Text: "it was there, and was deleted; a deletion leaves no trace of who did it"}
	if l.by.User != "" {
		f.Evidence, f.Text = append(f.Evidence, evidenceWitness), "it was there, and a person was seen to delete it"
	}
	return f
}
