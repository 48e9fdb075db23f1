package witness

import (
	"fmt"
	"strconv"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/webhook"
)

// The limits of a Case.
const (
	userMost    = 256
	managerMost = 128
	pathMost    = 200
	pathsMost   = 16
)

var replicas = source.Path{{Field: "spec"}, {Field: "replicas"}}

// tell has the Case opened. Its name is a function of the object and of the version that the write replaced: the same write is the
// same Case, whoever was asked about it.
func (b *Book) tell(s *stand, by string) {
	w := &v1alpha1.Witness{User: b.short(s.user, userMost), Operation: string(s.operation), Manager: b.short(s.manager, managerMost), Subresource: s.subresource,
		RevertedBy: b.short(by, userMost), At: metav1.NewTime(s.at)}
	for _, f := range s.fields[:min(len(s.fields), pathsMost)] {
		w.Paths = append(w.Paths, b.short(f.path.String(), pathMost))
	}
	w.More = int32(min(len(s.fields)-len(w.Paths)+s.more, 1<<30)) //nolint:gosec // bounded here
	signal := gate.Signal{Face: gate.FaceDrift, Reason: v1alpha1.ReasonWitnessed, Subject: s.subject, At: s.at,
		Key: s.subject.UID + "/" + string(s.operation) + "/" + s.version}
	if by != "" {
		signal.Reason = v1alpha1.ReasonReverted
	}
	signal.Text = s.told(w.User, w.Manager, first(w), w.RevertedBy, b.Now().Sub(s.at))
	if !b.Offer(webhook.Opening{Signal: signal, Witness: w}) {
		b.Logger.Warn("a witnessed change is not told: too many Cases are waiting to be opened, or Moorgate stops", "subject", s.subject.String())
	}
}

// first is the first field and how many there are beside it.
func first(w *v1alpha1.Witness) string {
	if len(w.Paths) == 0 {
		return ""
	}
	if n := len(w.Paths) - 1 + int(w.More); n > 0 {
		return fmt.Sprintf("%s and %s more of", w.Paths[0], strconv.Itoa(n))
	}
	return w.Paths[0] + " of"
}

// done is what was done, as a verb.
func (s *stand) done(first string) string {
	switch s.operation {
	case admissionv1.Create:
		return "created"
	case admissionv1.Delete:
		return "deleted"
	}
	return "changed " + first
}
