package app

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// writeGroups writes the changes, weightiest first.
func writeGroups(b *strings.Builder, p paint, t *flow.Tally, all bool) {
	groups := t.Groups()
	left := 0
	if n := len(groups); !all && n > groupsShown {
		groups, left = groups[:groupsShown], n-groupsShown
	}
	for _, g := range groups {
		b.WriteString("\n")
		writeGroup(b, p, g)
	}
	if left > 0 {
		fmt.Fprintf(b, "\n%s more; --all prints them.\n", count(left, "change"))
	}
	if t.Ungrouped > 0 {
		fmt.Fprintf(b, "\n%s more are counted above and not listed: there are too many different ones.\n", count(t.Ungrouped, "change"))
	}
}

func writeGroup(b *strings.Builder, p paint, g flow.Group) {
	colour := "2"
	switch {
	case g.Loosens():
		colour = "33"
	case g.Tightens():
		colour = "36"
	}
	ending := string(g.Before.Ending) + " -> " + string(g.After.Ending)
	if g.Before.Ending == g.After.Ending {
		ending = string(g.After.Ending) + ", for other reasons"
	}
	what := string(g.Area)
	if g.Kind == gate.RecordIntent {
		what = "begun " + what
	}
	fmt.Fprintf(b, "%5dx  %s  %s %s  %s\n", g.Count, p("1", shown(g.Subject.String())), shown(string(g.Face)), shown(g.Happening), p(colour, what+" "+ending))
	writeReasons(b, p, g.Before.Verdict, g.After.Verdict)
	when := stamp(g.At)
	if g.Count > 1 {
		when = stamp(g.First) + " to " + when
	}
	fmt.Fprintf(b, "        %s\n", p("2", when+", last in case "+shown(g.Case)))
}

// writeReasons writes what no longer speaks against it and what newly does, and names what goes on to.
func writeReasons(b *strings.Builder, p paint, before, after gate.Verdict) {
	gone, stay := apart(before.Reasons, after.Reasons)
	come, _ := apart(after.Reasons, before.Reasons)
	if len(before.Reasons) == 0 {
		fmt.Fprintf(b, "        before  nothing speaks against it\n")
	}
	writeAnswer(b, p, "before", gone)
	if len(after.Reasons) == 0 {
		fmt.Fprintf(b, "        after   nothing speaks against it\n")
	}
	writeAnswer(b, p, "after", come)
	if len(stay) > 0 {
		fmt.Fprintf(b, "        both    %s\n", shown(strings.Join(stay, ", ")))
	}
}

// apart parts reasons into those whose rule says something else among the others, and the rules that say the same.
func apart(reasons, others []gate.Reason) (alone []gate.Reason, shared []string) {
	for _, r := range reasons {
		same := func(o gate.Reason) bool { return o.Rule == r.Rule && o.Decision == r.Decision }
		rule := strings.ToLower(r.Decision.String()) + " by rule " + r.Rule
		switch {
		case !slices.ContainsFunc(others, same):
			alone = append(alone, r)
		case !slices.Contains(shared, rule):
			shared = append(shared, rule)
		}
	}
	slices.SortStableFunc(alone, func(x, y gate.Reason) int { return int(x.Decision) - int(y.Decision) })
	slices.Sort(shared)
	return alone, shared
}

func writeAnswer(b *strings.Builder, p paint, when string, reasons []gate.Reason) {
	for _, r := range reasons {
		by := "rule " + r.Rule
		if r.Guardrail != "" {
			by += ", Guardrail " + r.Guardrail
		}
		fmt.Fprintf(b, "        %-6s  %s: %s %s\n", when, strings.ToLower(r.Decision.String()), shown(r.Text), p("2", "("+shown(by)+")"))
		when = ""
	}
}
