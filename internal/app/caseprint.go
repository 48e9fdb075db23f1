package app

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/duration"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const (
	pageWide     = 80 // columns
	pageIndent   = 13 // before what is said, behind what it is about
	relatedShown = 8
)

// page is a text of eighty columns. What it is given may have been written by anybody.
type page struct {
	strings.Builder
	paint paint
}

func (p *page) head(title string) { fmt.Fprintf(p, "\n%s\n", p.paint("1", title)) }

// line says something about what; a text that is too long goes on below itself.
func (p *page) line(what, format string, args ...any) {
	what = gate.OneLine(what, pageIndent-3)
	for i, row := range wrapped(gate.OneLine(fmt.Sprintf(format, args...), 1200), pageWide-pageIndent) {
		if i > 0 {
			what = ""
		}
		fmt.Fprintf(p, "  %s %s\n", what+strings.Repeat(" ", max(0, pageIndent-3-utf8.RuneCountInString(what))), row)
	}
}

// wrapped breaks a text at spaces into rows of so many characters; a word that is longer is broken anywhere.
func wrapped(text string, wide int) []string {
	var rows []string
	row := []rune{}
	for word := range strings.FieldsSeq(text) {
		next := []rune(word)
		if len(row) > 0 && len(row)+1+len(next) > wide {
			rows, row = append(rows, string(row)), nil
		}
		if len(row) > 0 {
			row = append(row, ' ')
		}
		for row = append(row, next...); len(row) > wide; row = row[wide:] {
			rows = append(rows, string(row[:wide]))
		}
	}
	if len(row) > 0 || len(rows) == 0 {
		rows = append(rows, string(row))
	}
	return rows
}

// print tells a Case to people.
func (s *caseStory) print(w io.Writer, now time.Time) error {
	p, c := &page{paint: painter(w)}, s.Case
	fmt.Fprintf(p, "%s\n", p.paint("1", shown(c.Namespace+"/"+c.Name)))
	p.line("verdict", "%s, score %s, confidence %s", cmp.Or(c.Status.Decision, "none yet"), numberOf(c.Status.Score), numberOf(c.Status.Confidence))
	p.line("waits for", "%s", s.Waits)
	if s.Waits.rank == rankApproval {
		p.line("", "moorgate approve %s/%s", c.Namespace, c.Name)
	}
	s.happened(p, now)
	s.found(p)
	s.decided(p)
	s.menu(p)
	s.done(p, now)
	s.said(p, now)
	s.related(p, now)
	for _, n := range s.Notes {
		p.line("note", "%s", n)
	}
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("print the Case: %w", err)
	}
	return nil
}

func (s *caseStory) happened(p *page, now time.Time) {
	c := s.Case
	p.head("What happened")
	p.line("what", "%s: %s", c.Spec.Signal.Reason, c.Spec.Signal.Text)
	p.line("to", "%s/%s in %s (%s)", c.Spec.Subject.Kind, c.Spec.Subject.Name, c.Namespace, c.Spec.Signal.Face)
	p.line("first seen", "%s", ago(now, c.Spec.Signal.FirstSeen.Time))
	if a := c.Spec.Answer; a != nil {
		p.line("answer", "%s, to %s", cmp.Or(c.Status.Answer, a.Said), cmp.Or(a.User, "somebody"))
	}
	if w := c.Spec.Witness; w != nil {
		p.line("who", "%s, %s by %s: %s", w.User, w.Operation, cmp.Or(w.Manager, "no manager by name"), strings.Join(w.Paths, ", "))
		if w.RevertedBy != "" {
			p.line("put back", "by %s", w.RevertedBy)
		}
	}
	if c.Status.Owner != "" {
		p.line("owner", "%s", c.Status.Owner)
	}
	if c.Status.InhibitedBy != "" {
		p.line("part of", "%s, and nothing is done about a part", c.Status.InhibitedBy)
	}
	if len(c.Status.Affects) > 0 {
		p.line("affects", "%s", strings.Join(c.Status.Affects, ", "))
	}
	for _, image := range c.Status.Images {
		p.line("image", "%s", image)
	}
}

func (s *caseStory) found(p *page) {
	o := s.Case.Status.Opinion
	p.head("What was found")
	if len(o.Findings)+len(o.Unread) == 0 {
		p.line("", "nothing was found wrong")
	}
	for _, f := range o.Findings {
		mark := fmt.Sprintf("-%d", f.Points)
		if f.Hard {
			mark = "fails"
		}
		from := f.ID
		if f.Nature != "" {
			from += ", " + f.Nature
		}
		p.line(mark, "%s (%s)", f.Text, from)
	}
	for _, u := range o.Unread {
		p.line("not read", "%s", u)
	}
	if a := s.Case.Spec.Answer; a != nil && a.Brief != nil {
		for _, e := range a.Brief.Evidence {
			p.line("evidence", "%s: %s", e.Source, gate.OneLine(cmp.Or(e.Text, "not read: "+e.Unread), 160))
		}
	}
}

func (s *caseStory) decided(p *page) {
	o := s.Case.Status.Opinion
	p.head("Why it was decided so")
	p.line("cause", "%s", cmp.Or(o.Cause, "not known"))
	for _, r := range o.Reasons {
		p.line(strings.ToLower(r.Decision), "%s (rule %s%s)", r.Text, r.Rule, railOf(r.Guardrail))
	}
	if len(o.Reasons) == 0 && o.Decision != "" {
		p.line("", "nothing spoke against it")
	}
	if o.Alone != "" {
		p.line("no model", "%s", o.Alone)
	}
}

func (s *caseStory) menu(p *page) {
	if len(s.Case.Status.Menu) == 0 {
		return
	}
	p.head("What could be done")
	for _, x := range s.Case.Status.Menu {
		mark := ""
		for i, id := range s.Case.Status.Chosen {
			if id == x.ID {
				mark = "chosen"
				if len(s.Case.Status.Chosen) > 1 {
					mark = fmt.Sprintf("chosen %d", i+1)
				}
			}
		}
		plan := ""
		if x.Digest != "" {
			plan = fmt.Sprintf(", plan %.19s", x.Digest)
		}
		p.line(mark, "%s (%s, reaches %s%s): %s", x.ID, x.Verb, x.Reach, plan, cmp.Or(x.Text, x.Verb))
		for _, e := range x.Edits {
			p.line("", "%s: %s -> %s", e.Path, value(e.Old), value(e.New))
		}
	}
}

func (s *caseStory) done(p *page, now time.Time) {
	c := s.Case
	p.head("What was done")
	a := c.Status.Acting
	if a == nil {
		p.line("", "nothing yet")
	} else {
		p.line(strings.ToLower(a.Phase), "%s", cmp.Or(a.Text, a.Verb))
		p.line("since", "%s", ago(now, a.At.Time))
		for _, r := range a.Reasons {
			p.line("held by", "%s (rule %s%s)", r.Text, r.Rule, railOf(r.Guardrail))
		}
		if a.Attempts > 0 {
			p.line("attempts", "%d", a.Attempts)
		}
		if i := a.Intent; i != nil {
			p.line("last", "%s on %s/%s at %s, record %d of log %s", a.Verb, i.Target.Kind, i.Target.Name, stamp(i.At.Time), i.Audit.Sequence, i.Audit.Log)
		}
	}
	for _, x := range c.Status.Conditions {
		if x.Type == v1alpha1.CaseJudged || x.Type == v1alpha1.CaseRecorded {
			continue
		}
		p.line(strings.ToLower(x.Type), "%s, %s: %s", x.Status, x.Reason, x.Message)
	}
	on := "not known"
	if at := c.Status.Audit; at != nil {
		on = fmt.Sprintf("record %d of log %s; moorgate audit why %s/%s tells all of it", at.Sequence, at.Log, c.Namespace, c.Name)
	}
	p.line("on record", "%s", on)
}

func (s *caseStory) said(p *page, now time.Time) {
	if len(s.Approvals) == 0 {
		return
	}
	p.head("Who said what")
	for _, a := range s.Approvals {
		p.line("plan", "%.19s: %s", a.Spec.Plan, wordOf(a, now))
	}
}

func (s *caseStory) related(p *page, now time.Time) {
	if len(s.Related) == 0 {
		return
	}
	p.head("Other Cases of the same workload")
	for _, l := range s.Related[:min(len(s.Related), relatedShown)] {
		p.line(duration.HumanDuration(now.Sub(l.Opened)), "%s: %s, %s; waits for %s", l.Name, cmp.Or(l.Cause, l.Happening), cmp.Or(l.Verdict, "no verdict yet"), l.Waits)
	}
	if more := len(s.Related) - relatedShown; more > 0 {
		p.line("", "and %d more", more)
	}
}
