package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// look is what was found out about one object that a repository declares.
type look struct {
	object    source.Object
	commit    string
	base      string // the commit that edits start from
	subject   gate.Ref
	absent    bool   // the cluster does not have it
	gone      bool   // it was there, and was deleted
	by        Owner  // who deleted it
	back      string // what it takes to have it again
	many      many   // what befell several objects, in place of one
	left      string // the annotation in Git that says to leave it as it is
	moving    bool   // it is being delivered, so that nothing is known of it yet
	rows      []row  // what delivers it adds to the table of what is no drift
	drifts    []Drift
	proposals []proposal        // one a drift
	labels    map[string]string // of the live object
	release   string            // the command that has Helm deliver it again; empty: Helm does not deliver it
	// fingerprint is that of the live object; leans: what was found hangs on other objects too.
	fingerprint string
	leans       bool
	intention   intention // what rules make of the drifts
	evidence    []gate.Evidence
	unread      []string // what could not be read; without it nothing here is a drift
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
	l.evidence = append(l.evidence, gate.Evidence{ID: id, Source: line(what), At: at, Trust: trust, Text: line(text)})
}

func (l *look) missed(id, what string, at time.Time, why string) {
	l.evidence = append(l.evidence, gate.Evidence{ID: id, Source: line(what), At: at, Trust: gate.FromAPI, Unread: line(why)})
	l.unread = append(l.unread, line(what+": "+why))
}

// line is text that may come from elsewhere, as people can be shown it: on one line, without invisible characters.
func line(s string) string { return gate.OneLine(s, 1024) }

// happening reports whether there is anything to open a Case about.
func (l *look) happening() bool {
	return len(l.drifts) > 0 || len(l.unread) > 0 || l.gone || l.many.reason != ""
}

// signal is the happening. Its key is made of what has drifted and to which values, and not of the commit: the same drift
// is the same Case however often Git moves. Of what was deleted it is made of which object that was. A value that is not shown is no part of the key, because a hash of a short
// secret gives it away; such a field that changes again is the same Case.
func (l *look) signal(sourceName string, at time.Time) gate.Signal {
	s := gate.Signal{Face: gate.FaceDrift, Subject: l.subject, At: at}
	if len(l.unread) > 0 {
		s.Reason, s.Key = reasonUnreadable, "unreadable/"+sourceName
		s.Text = "it is not known whether " + l.object.Kind + " " + l.object.Name.Name + " says what Git says: " + l.unread[0] // which is a line
		return s
	}
	if l.many.reason != "" {
		s.Reason, s.Key, s.Text = l.many.reason, l.many.key, line(l.many.sentence())
		return s
	}
	if l.gone {
		s.Reason, s.Key = reasonDeleted, sourceName+"/deleted/"+l.subject.UID
		s.Text = line("the cluster no longer has " + called(l.object.Name) + ", and Git declares it (" + whence(l.object) + ")")
		return s
	}
	h := sha256.New()
	for _, d := range l.drifts {
		_, live := d.texts()
		_, _ = fmt.Fprintf(h, "%q %q\n", d.Path.String(), live)
	}
	s.Reason, s.Key = reasonDrift, l.subject.UID+"/"+sourceName+"/"+hex.EncodeToString(h.Sum(nil))[:16]
	s.Text = line(l.sentence(0))
	if n := len(l.drifts) - 1; n > 0 {
		s.Text += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// sentence tells one drift, short enough for a listing: "containers[name=app].image is web:1.5, Git says web:1.4
// (deploy/web.yaml:16)". It leaves out what the full path and the full values have in common with all others.
func (l *look) sentence(i int) string {
	d := l.drifts[i]
	name := strings.TrimPrefix(strings.TrimPrefix(d.Path.String(), "spec.template."), "spec.")
	where := " (" + l.proposals[i].where + ")"
	switch {
	case d.Missing:
		return name + " is missing, and Git declares it" + where
	case d.Added && !d.shown():
		return name + " was added, and Git does not have it" + where + "; its values are not shown"
	case !d.shown():
		return name + " is not what Git says" + where + "; its values are not shown"
	}
	git, live := d.texts()
	git, live = strings.Trim(git, `"`), strings.Trim(live, `"`)
	if d.Added {
		return name + " is " + live + ", and Git does not have it" + where
	}
	if _, text := d.Git.(string); text && path.Base(git) != path.Base(live) {
		git, live = path.Base(git), path.Base(live)
	}
	return name + " is " + live + ", Git says " + git + where
}

// detail tells all of one drift that may be told, to people and to a model: no user is named.
func (l *look) detail(i int) string {
	d := l.drifts[i]
	git, live := d.texts()
	owner := d.Owner.String()
	switch {
	case d.Owner.Apart:
		owner += ", and a person was seen to change it under another name"
	case d.Owner.vouched() && d.Owner.Manager != "":
		owner += ", a person who was seen"
	}
	text := fmt.Sprintf("%s; owner %s; field %s, live %s, Git %s", l.sentence(i), owner, d.Path, live, git)
	if why := l.proposals[i].why; why != "" {
		text += "; no edit, because " + why
	}
	return line(text)
}

// replacing tells what else it takes to go back to Git.
func (l *look) replacing() string {
	if slices.ContainsFunc(l.drifts, func(d Drift) bool { return replaces(l.object.Name, d.Path) }) {
		return ", which replaces pods"
	}
	return ""
}

// owners names who owns the drifted fields, each once, for people.
func (l *look) owners() string {
	if l.gone {
		return gate.OneLine(l.by.Named(), 256)
	}
	var names []string
	seen := map[string]bool{}
	owners := slices.Clone(l.many.by)
	for _, d := range l.drifts {
		owners = append(owners, d.Owner)
	}
	for _, o := range owners {
		if name := o.Named(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return gate.OneLine(strings.Join(names, ", "), 256)
}
