package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// look is what was found out about one Deployment that a repository declares.
type look struct {
	object    source.Object
	commit    string
	subject   gate.Ref
	absent    bool // the cluster does not have it
	drifts    []Drift
	proposals []proposal // one a drift
	evidence  []gate.Evidence
	unread    []string // what could not be read; without it nothing here is a drift
}

// The ids of the pieces of evidence that findings cite.
const (
	evidenceGit         = "git"
	evidenceLive        = "live"
	evidenceDryRun      = "dry-run"
	evidenceAutoscalers = "autoscalers"
)

// The words for what happened.
const (
	reasonDrift      = "FieldDrift"
	reasonUnreadable = "Unreadable"
)

func (l *look) read(id, what string, trust gate.Trust, at time.Time, text string) {
	l.evidence = append(l.evidence, gate.Evidence{ID: id, Source: what, At: at, Trust: trust, Text: text})
}

func (l *look) missed(id, what string, at time.Time, err error) {
	why := plainly(err)
	l.evidence = append(l.evidence, gate.Evidence{ID: id, Source: what, At: at, Trust: gate.FromAPI, Unread: why})
	l.unread = append(l.unread, what+": "+why)
}

// plainly is an error without the values of the manifest, which the API server repeats where it finds them invalid.
func plainly(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return err.Error()
	}
	var causes []string
	for _, c := range status.Status().Details.Causes {
		causes = append(causes, c.Field+" ("+string(c.Type)+")")
	}
	return "the API server refuses what Git says: " + strings.Join(causes, ", ")
}

// happening reports whether there is anything to open a Case about.
func (l *look) happening() bool { return len(l.drifts) > 0 || len(l.unread) > 0 }

// signal is the happening. Its key is made of what has drifted and to which values, and not of the commit: the same drift
// is the same Case however often Git moves. A value that is not shown is no part of the key, because a hash of a short
// secret gives it away; such a field that changes again is the same Case.
func (l *look) signal(sourceName string, at time.Time) gate.Signal {
	s := gate.Signal{Face: gate.FaceDrift, Subject: l.subject, At: at}
	if len(l.unread) > 0 {
		s.Reason, s.Key = reasonUnreadable, "unreadable/"+sourceName
		s.Text = "it is not known whether " + l.object.Kind + " " + l.object.Name.Name + " says what Git says: " + l.unread[0]
		return s
	}
	h := sha256.New()
	for _, d := range l.drifts {
		_, live := d.texts()
		_, _ = fmt.Fprintf(h, "%q %q\n", d.Path.String(), live)
	}
	s.Reason, s.Key = reasonDrift, l.subject.UID+"/"+sourceName+"/"+hex.EncodeToString(h.Sum(nil))[:16]
	s.Text = l.sentence(0)
	if n := len(l.drifts) - 1; n > 0 {
		s.Text += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// sentence tells one drift: "spec.replicas is 5, Git says 2 (deploy/web.yaml:8)".
func (l *look) sentence(i int) string {
	d := l.drifts[i]
	git, live := d.texts()
	where := " (" + l.proposals[i].where + ")"
	switch {
	case d.Missing:
		return d.Path.String() + " is missing, and Git declares it" + where
	case !d.shown():
		return d.Path.String() + " is not what Git says" + where + "; its values are not shown"
	}
	return d.Path.String() + " is " + live + ", Git says " + git + where
}

// owners names who owns the drifted fields, each once.
func (l *look) owners() string {
	var names []string
	seen := map[string]bool{}
	for _, d := range l.drifts {
		if name := d.Owner.String(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return short(strings.Join(names, ", "), 256)
}

// short cuts text for a field of that many bytes.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
