package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"moorgate.dev/drift"
	"moorgate.dev/internal/source"
)

// printDiff prints what was found, as it was asked for.
func printDiff(w io.Writer, o diffOptions, places []place) error {
	var text string
	switch o.output {
	case "json":
		return printJSON(w, "differences", diffJSON(places))
	case "markdown":
		text = diffMarkdown(places)
	default:
		text = diffText(places, paints(o.color == "always" || o.color == "auto" && terminal(w)), time.Now())
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("print the differences: %w", err)
	}
	return nil
}

// diffText is what was found for a terminal: for each object a head, and for each field a hunk.
func diffText(places []place, p paint, now time.Time) string {
	var b strings.Builder
	for i := range places {
		at := &places[i]
		for j := range at.report.Sights {
			writeSight(&b, p, now, at, &at.report.Sights[j])
		}
		writeLeft(&b, p, at)
	}
	n := tally(places)
	fmt.Fprintf(&b, "%s compared; %d differ or are absent", howMany(n.compared, "object"), n.differ)
	if n.orphans > 0 {
		fmt.Fprintf(&b, "; %d were left behind", n.orphans)
	}
	if n.unread > 0 {
		fmt.Fprintf(&b, "; %d could not be read", n.unread)
	}
	b.WriteString("\n")
	return b.String()
}

func writeSight(b *strings.Builder, p paint, now time.Time, at *place, s *drift.Sight) {
	declared := s.Place
	if s.Orphan != "" {
		declared = "does not declare it"
	}
	fmt.Fprintf(b, "%s\n%s\n", p("1", "--- Git   "+shown(declared+"  "+at.said())), p("1", "+++ live  "+shown(s.Subject.Kind+"/"+s.Subject.Name+" in "+s.Subject.Namespace)))
	if s.Absent {
		fmt.Fprintln(b, p("31", "-the whole object: the cluster does not have it"))
	}
	if s.Orphan != "" {
		fmt.Fprintln(b, p("32", "+the whole object: "+shown(s.Orphan)))
	}
	for _, u := range s.Unread {
		fmt.Fprintf(b, " %s %s\n", p("35", "could not be read:"), shown(u))
	}
	if s.ByOwners {
		fmt.Fprintf(b, " %s\n", p("33", shown(byOwnersText)))
	}
	for _, c := range s.Changes {
		writeChange(b, p, now, c)
	}
	if s.Assessment.Cause != "" && !s.ByOwners {
		fmt.Fprintf(b, " %s  %s\n", p("2", "why "), shown(because(s)))
	}
	if said := caseText(s); said != "" {
		fmt.Fprintf(b, " %s  %s\n", p("2", "Case"), shown(said))
	}
	if done := doneText(s); done != "" {
		fmt.Fprintf(b, " %s  %s\n", p("2", "done"), shown(done))
	}
	b.WriteString("\n")
}

const byOwnersText = "no dry run was possible (is the right to patch it missing?), so this is what managedFields tell: the fields that a person owns and that are written in another way in Git. " +
	"It may be the same value, and there may be more"

func writeChange(b *strings.Builder, p paint, now time.Time, c drift.Change) {
	fmt.Fprintln(b, p("36", "@@ "+shown(c.Place+" "+c.Path.String())+" @@"))
	name := lastField(c.Path)
	if !c.Added {
		fmt.Fprintln(b, p("31", "-"+shown(name+": "+c.Git)))
	}
	if !c.Missing {
		fmt.Fprintln(b, p("32", "+"+shown(name+": "+c.Live)))
	}
	fmt.Fprintf(b, " %s  %s\n", p("2", "who "), shown(who(c.Owner)))
	fmt.Fprintf(b, " %s  %s\n", p("2", "when"), when(c.Owner, now))
	if c.Ahead != "" {
		fmt.Fprintf(b, " %s  %s\n", p("2", "but "), shown(c.Ahead))
	}
}

// lastField is the last named field of a path, and what follows it: env[name=TOKEN].
func lastField(p source.Path) string {
	for i := len(p) - 1; i > 0; i-- {
		if p[i].Field != "" {
			return p[i:].String()
		}
	}
	return p.String()
}

func who(o drift.Owner) string {
	if o.User != "" {
		return o.Named()
	}
	if o.Manager == "" {
		return "not known (deletions leave no trace)"
	}
	how := o.Operation
	if o.Subresource != "" {
		how += " of " + o.Subresource
	}
	party := string(o.Party)
	if party == "" {
		party = "nobody known"
	}
	return fmt.Sprintf("%s (%s), by its own word: %s", o.Manager, how, party)
}

func when(o drift.Owner, now time.Time) string {
	if o.Time.IsZero() {
		return "not recorded"
	}
	return ago(now, o.Time)
}

// because is what the drift rules make of an object.
func because(s *drift.Sight) string {
	a := s.Assessment
	text := a.Cause + ", confidence " + percentOf(a.Confidence)
	if a.Silent != "" {
		text += ": " + a.Silent
	} else if a.Open != "" {
		text += ": " + a.Open
	}
	return text
}

// doneText is what was done about it, or why nothing is: a pull request that waits for people.
func doneText(s *drift.Sight) string {
	if s.Case == nil || s.Case.Status.Acting == nil {
		return ""
	}
	return strings.ToLower(s.Case.Status.Acting.Phase) + ": " + s.Case.Status.Acting.Text
}

func caseText(s *drift.Sight) string {
	switch {
	case s.CaseUnread != "":
		return "not known: " + s.CaseUnread
	case s.Case == nil:
		return ""
	case s.Case.Status.Cause != "" && s.Case.Status.Cause != s.Assessment.Cause:
		return fmt.Sprintf("%s, which says %s", s.Case.Name, s.Case.Status.Cause)
	}
	return s.Case.Name
}

// said names where Git was read.
func (p *place) said() string {
	if p.source == "" {
		return "(folder)"
	}
	text := fmt.Sprintf("(%s, commit %.12s", p.name(), p.report.Commit)
	if p.delivered != nil && p.delivered.Suspended {
		text += ", suspended"
	}
	if p.delivered != nil && p.delivered.Head != "" {
		text += fmt.Sprintf(", commit %.12s not delivered yet", p.delivered.Head)
	}
	return text + ")"
}

func writeLeft(b *strings.Builder, p paint, at *place) {
	if at.err != nil {
		fmt.Fprintf(b, "%s %s: %s\n", p("35", "could not be read:"), shown(at.name()), shown(at.err.Error()))
	}
	for _, left := range at.report.Left {
		fmt.Fprintf(b, "%s: %s\n", shown(at.name()), shown(left))
	}
}
