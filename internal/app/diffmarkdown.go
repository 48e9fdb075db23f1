package app

import (
	"fmt"
	"strings"
	"time"

	"moorgate.dev/drift"
	"moorgate.dev/internal/redact/markdown"
)

// diffMarkdown is what was found as a comment or a report. Nothing that stands in Git or in the cluster is more than text in it.
func diffMarkdown(places []place) string {
	var b strings.Builder
	n := tally(places)
	fmt.Fprintf(&b, "## Moorgate: %s\n\n%s compared; %d differ or are absent; %d were left behind; %d could not be read.\n",
		map[bool]string{true: "the cluster says what Git says", false: "the cluster and Git differ"}[n.differ+n.orphans == 0], howMany(n.compared, "object"), n.differ, n.orphans, n.unread)
	for i := range places {
		p := &places[i]
		if p.err != nil {
			fmt.Fprintf(&b, "\n%s could not be read: %s\n", markdown.Code(shown(p.name())), markdown.Prose(p.err.Error()))
		}
		for j := range p.report.Sights {
			block := sightMarkdown(&p.report.Sights[j])
			if b.Len()+len(block) > markdownMost {
				b.WriteString("\nWhat follows is left out: a comment has a limit. `moorgate diff` prints it all.\n")
				return b.String()
			}
			b.WriteString(block)
		}
		for _, left := range p.report.Left {
			fmt.Fprintf(&b, "\n%s: %s\n", markdown.Code(shown(p.name())), markdown.Prose(left))
		}
	}
	return b.String()
}

func sightMarkdown(s *drift.Sight) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", markdown.Code(shown(s.Subject.String())))
	if s.Orphan != "" {
		fmt.Fprintf(&b, "Git does not declare it: %s.\n", markdown.Prose(s.Orphan))
	} else {
		fmt.Fprintf(&b, "Git declares it in %s.", markdown.Code(shown(s.Place)))
	}
	if s.Absent {
		b.WriteString(" The cluster does not have it.\n")
	}
	for _, u := range s.Unread {
		fmt.Fprintf(&b, " Could not be read: %s.", markdown.Prose(u))
	}
	if s.ByOwners {
		fmt.Fprintf(&b, " %s.", markdown.Prose(byOwnersText))
	}
	if len(s.Changes) > 0 {
		b.WriteString("\n\n| Field | Git | Live | Who | When | Where |\n| --- | --- | --- | --- | --- | --- |\n")
	}
	for _, c := range s.Changes {
		since := "not recorded"
		if !c.Owner.Time.IsZero() {
			since = c.Owner.Time.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", markdown.Cell(c.Path.String(), markdown.Most), markdown.Cell(c.Git, markdown.Most), markdown.Cell(c.Live, markdown.Most),
			markdown.Cell(who(c.Owner), markdown.Most), since, markdown.Cell(c.Place, markdown.Most))
	}
	if s.Assessment.Cause != "" && !s.ByOwners {
		fmt.Fprintf(&b, "\nWhy: %s\n", markdown.Prose(because(s)))
	}
	if said := caseText(s); said != "" {
		fmt.Fprintf(&b, "\nCase: %s\n", markdown.Prose(said))
	}
	if done := doneText(s); done != "" {
		fmt.Fprintf(&b, "\nDone: %s\n", markdown.Prose(done))
	}
	return b.String()
}
