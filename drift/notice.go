package drift

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// Notice is what people are told of a drift: package notify's Notice has the same fields.
type Notice struct {
	// About is what Flux delivers the object by, because it is Flux's own kinds that an Alert of Flux can name; of what Flux does not
	// deliver, the object itself.
	About  gate.Ref
	Gone   bool
	Reason string // Drifted, DriftGone
	Text   string // names the Case, and the object where it is about what delivers it
	Case   string // NAMESPACE/NAME
	Cause  string // one of Causes
	Commit string // that it was compared with; empty where Helm keeps what was applied
}

// fluxGroups end the names of the groups of Flux's kinds.
const fluxGroups = ".toolkit.fluxcd.io"

func (d *Detector) announceOpened(t tree, l *look, of client.ObjectKey, text string) {
	d.announce(t, t.teller(l.subject, l.many.reason != ""), of, corev1.EventTypeWarning, Notice{Reason: eventDrifted, Text: text, Cause: cause(l)})
}

func (d *Detector) announceGone(t tree, k *v1alpha1.Case) {
	text := "it says what Git says again, or differs in another way"
	switch k.Spec.Signal.Reason {
	case reasonDeleted, reasonDeletedTogether:
		text = "it is there again, or Git does not declare it any more"
	case reasonOrphaned:
		text = "it is gone, or Git declares it again"
	}
	d.announce(t, t.teller(subjectOf(k), k.Labels[LabelMany] == "true"), client.ObjectKeyFromObject(k), corev1.EventTypeNormal, Notice{Gone: true, Reason: eventGone, Text: text, Cause: k.Status.Cause})
}

// teller is the object on which it is told: of many it is the one that delivers them, in its own namespace.
func (t tree) teller(subject gate.Ref, many bool) gate.Ref {
	if many && t.delivery != nil {
		return t.delivery.owner
	}
	return subject
}

// announce tells on the object itself that a drift was opened, or that it is gone, and hands on the Notice of it.
func (d *Detector) announce(t tree, subject gate.Ref, of client.ObjectKey, kind string, n Notice) {
	n.Text = gate.OneLine(n.Text, noteMost) + "; case " + of.Name
	if d.Events != nil {
		d.Events.Eventf(reference(subject), nil, kind, n.Reason, "Compare", "%s", n.Text)
	}
	if d.Tell == nil {
		return
	}
	n.About, n.Case, n.Commit = subject, of.String(), t.Commit
	y := t.delivery
	if y != nil && y.stored != (client.ObjectKey{}) {
		n.Commit = "" // what the tree has is a revision of Helm
	}
	if y != nil && strings.HasSuffix(y.owner.Group, fluxGroups) {
		n.About = y.owner
	}
	if n.About != subject {
		n.Text = subject.Kind + " " + subject.Namespace + "/" + subject.Name + ": " + n.Text
	}
	d.Tell(n)
}
