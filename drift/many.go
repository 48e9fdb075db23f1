package drift

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// What befell several objects of one source at once is one happening. It has one Case, about what declares or delivers them, that names
// them: whoever deletes twenty objects did one thing, and twenty Cases would say less of it than one. A Case that was opened stays: an
// object with a Case of its own keeps that, and what goes while a Case of many stands joins it.

const (
	// reasonDeletedTogether is the word for objects that were there, and are not, where they are many.
	reasonDeletedTogether = "ObjectsDeleted"
	// LabelMany on a Case is true where it is about several objects, which its status names.
	LabelMany = "moorgate.dev/many"
	// apart is how many objects that are deleted within a while have a Case each.
	apart      = 3
	apartWhile = 10 * time.Minute
	mostNamed  = 100 // as many as a Case names
)

// many is what befell several objects of one source. The zero many is nothing.
type many struct {
	reason, key string
	objects     []gate.Ref // in the order of byKind
	text        string     // what befell them, without their names
	remedy      string     // what it takes to end it
	by          []Owner    // who did it, as far as somebody was seen
}

// newMany is a look at several objects of a source, in place of one of each.
func newMany(of client.ObjectKey, t tree, m many) *look {
	subject := gate.Ref{Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version, Kind: "GitSource", Namespace: of.Namespace, Name: of.Name}
	if y := t.delivery; y != nil {
		subject, subject.Namespace = y.owner, of.Namespace // where the Case is, with the objects
	}
	return &look{object: source.Object{Name: source.Name{Kind: subject.Kind, Name: subject.Name}}, commit: t.Commit, subject: subject, many: m}
}

func byKind(a, b gate.Ref) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group))
}

// sentence names the first of the objects.
func (m many) sentence() string {
	var n names
	for _, o := range m.objects {
		n.add(o.Kind + "/" + gate.OneLine(o.Name, 40))
	}
	text := m.text + ": " + strings.Join(n.first, ", ")
	if more := n.all - len(n.first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// named are the objects as a Case names them.
func (m many) named() []v1alpha1.Subject {
	var all []v1alpha1.Subject
	for _, o := range m.objects[:min(len(m.objects), mostNamed)] {
		all = append(all, v1alpha1.Subject{Group: o.Group, Version: o.Version, Kind: o.Kind, Name: o.Name, UID: o.UID})
	}
	return all
}

// seen is who was seen to do it: the one person, or the zero Owner where there is none, or more than one.
func (m many) seen() Owner {
	var by Owner
	for _, o := range m.by {
		if o.User == "" || by.User != "" && by.User != o.User {
			return Owner{}
		}
		by = o
	}
	return by
}

// finding tells of it, to people and to a model: no user is named.
func (m many) finding() gate.Finding {
	f := gate.Finding{ID: "objects-deleted", Evidence: []string{evidenceGit, evidenceLive}, Text: gate.OneLine(m.sentence(), 256)}
	if m.reason == reasonOrphaned {
		f.ID = "objects-orphaned"
	}
	return f
}

// keepGone keeps the Cases of all that was deleted.
func (d *Detector) keepGone(ctx context.Context, of client.ObjectKey, gone []*look, r *round) {
	past := func(l *look) *loss { return &r.tree.past[l.object.Name].loss }
	key, recent := "", 0
	var fresh, together []*look
	for _, l := range gone {
		switch p := past(l); {
		case p.among != "":
			key = p.among
			together = append(together, l)
		case !p.alone:
			fresh = append(fresh, l)
		default:
			if d.Now().Sub(p.noticed) < apartWhile {
				recent++
			}
			d.keepOne(ctx, of, l, r)
		}
	}
	if key == "" && recent+len(fresh) <= apart {
		for _, l := range fresh {
			past(l).alone = d.keepOne(ctx, of, l, r)
		}
		return
	}
	if together = append(together, fresh...); len(together) == 0 {
		return
	}
	m := many{reason: reasonDeletedTogether, key: key}
	for _, l := range together {
		m.objects, m.by = append(m.objects, l.subject), append(m.by, l.by)
	}
	slices.SortFunc(m.objects, byKind)
	m.complete(of, r.tree)
	bunch := newMany(of, r.tree, m)
	bunch.read(evidenceGit, "commit "+r.tree.Commit, gate.FromGit, d.Now(), r.tree.delivery.said())
	bunch.read(evidenceLive, "objects that were deleted", gate.FromAPI, d.Now(), fmt.Sprintf("%d are not in the cluster any more", len(together)))
	kept := d.keepOne(ctx, of, bunch, r)
	for _, l := range together {
		past(l).among, past(l).counts = m.key, kept
	}
}

// complete says what befell objects that were deleted together. The key of the first that were is that of the Case.
func (m *many) complete(of client.ObjectKey, t tree) {
	m.text = fmt.Sprintf("the cluster no longer has %d objects that Git declares", len(m.objects))
	m.remedy = "to have them again, " + back("all", t.Commit, t.delivery) + "; to be rid of one, take it out of Git"
	if m.key == "" {
		h := sha256.New()
		for _, o := range m.objects {
			_, _ = fmt.Fprintf(h, "%q %q %q\n", o.Kind, o.Name, o.UID)
		}
		m.key = of.Name + "/deleted-together/" + hex.EncodeToString(h.Sum(nil))[:16]
	}
}

// happened reports whether a Case tells that something differs from Git, and not that something could not be read, or what was seen.
func happened(k *v1alpha1.Case) bool {
	return slices.Contains([]string{reasonDrift, reasonDeleted, reasonDeletedTogether, reasonOrphaned}, k.Spec.Signal.Reason)
}

// tellsOf reports whether a Case of many is about an object too.
func tellsOf(k *v1alpha1.Case, r gate.Ref) bool {
	return slices.ContainsFunc(k.Status.Objects, func(o v1alpha1.Subject) bool {
		return o.Group == r.Group && o.Kind == r.Kind && o.Name == r.Name && (r.UID == "" || o.UID == r.UID)
	})
}
