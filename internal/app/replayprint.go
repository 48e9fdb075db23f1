package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const (
	groupsShown = 20 // without --all
	column      = 10 // wide
)

var decisionNow = map[gate.Decision]string{gate.Deny: "denied", gate.Hold: "held", gate.Allow: "permitted"}

// print writes what came of the replay.
func (r *replayer) print(w io.Writer, o replayOptions) error {
	if o.output == "json" {
		return r.printJSON(w)
	}
	var b strings.Builder
	paint := painter(w)
	switch {
	case r.anew:
		r.writeChanges(&b, paint, o)
	default:
		r.writeCheck(&b, paint, o)
	}
	r.writeGaps(&b, paint)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the replay: %w", err)
	}
	return nil
}

type paint = func(code, text string) string

func (r *replayer) writeChanges(b *strings.Builder, p paint, o replayOptions) {
	t := &r.tally
	n := t.Verdicts.Sum() + t.Begun.Sum()
	fmt.Fprintf(b, "%s decided again under %s", count(n, "decision"), count(len(r.guardrails), "Guardrail"))
	if n == 0 {
		b.WriteString(".\n")
		return
	}
	fmt.Fprintf(b, ", from %s to %s.\n\n", stamp(t.From), stamp(t.To))
	writeMatrix(b, "questions", t.Verdicts)
	if t.Begun.Sum() > 0 {
		b.WriteString("\n")
		writeMatrix(b, "actions begun", t.Begun)
	}
	writeEndings(b, t)
	writeRules(b, t)
	if t.Changed == 0 {
		b.WriteString("\nNothing would change.\n")
		return
	}
	fmt.Fprintf(b, "\n%s would be different: %s, %s.\n", count(t.Changed, "decision"),
		p("33", fmt.Sprintf("%d would do or let in more", t.Loosened)), fmt.Sprintf("%d less", t.Tightened))
	writeGroups(b, p, t, o.all)
}

// writeMatrix writes counts before (down) and after (across).
func writeMatrix(b *strings.Builder, of string, m flow.Matrix) {
	fmt.Fprintf(b, "  %-24s", of+", before:")
	decisions := []gate.Decision{gate.Deny, gate.Hold, gate.Allow}
	for _, d := range decisions {
		fmt.Fprintf(b, "%*s", column, decisionNow[d])
	}
	b.WriteString("  after\n")
	for _, was := range decisions {
		fmt.Fprintf(b, "  %-24s", decisionNow[was])
		for _, is := range decisions {
			fmt.Fprintf(b, "%*d", column, m[was][is])
		}
		b.WriteString("\n")
	}
}

func writeEndings(b *strings.Builder, t *flow.Tally) {
	fmt.Fprintf(b, "\n  %-44s%*s%*s\n", "what follows", column, "before", column, "after")
	for _, area := range flow.Areas() {
		for _, e := range flow.Endings() {
			if s := t.Endings[area][e]; s != (flow.Shift{}) {
				fmt.Fprintf(b, "  %-44s%*d%*d%s\n", string(area)+" "+string(e), column, s.Before, column, s.After, difference(s))
			}
		}
	}
}

func writeRules(b *strings.Builder, t *flow.Tally) {
	head := fmt.Sprintf("\n  %-44s%*s%*s\n", "rules that say less than yes", column, "before", column, "after")
	for _, rule := range append([]string{"policy"}, ruleIDs()...) {
		if s := t.Rules[rule]; s.Before != s.After {
			b.WriteString(head)
			head = ""
			fmt.Fprintf(b, "  %-44s%*d%*d%s\n", shown(rule), column, s.Before, column, s.After, difference(s))
		}
	}
}

// ruleIDs lists the rules in the order in which they are weighed.
func ruleIDs() []string {
	docs := gate.Rules()
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	return ids
}

func difference(s flow.Shift) string {
	if s.Before == s.After {
		return ""
	}
	return fmt.Sprintf("   %+d", s.After-s.Before)
}

// writeCheck says whether all decisions come out as recorded.
func (r *replayer) writeCheck(b *strings.Builder, p paint, o replayOptions) {
	if r.mismatched == 0 {
		fmt.Fprintf(b, "%s %s came out as recorded", p("32", "ok:"), count(r.same, "decision"))
	} else {
		fmt.Fprintf(b, "%s %s came out otherwise than recorded, %d as recorded", p("31", "DIFFERENT:"), count(r.mismatched, "decision"), r.same)
	}
	if r.reworded > 0 {
		fmt.Fprintf(b, " (%d with other words)", r.reworded)
	}
	b.WriteString(".\n")
	for i, m := range r.mismatches {
		if i == groupsShown && !o.all {
			break
		}
		fmt.Fprintf(b, "\n%6d  %s  %s  %s -> %s  %s\n", m.position.Sequence, stamp(m.At), p("1", shown(m.Subject.String())),
			decisionNow[m.Before.Verdict.Decision], decisionNow[m.After.Verdict.Decision], p("2", "log "+shown(m.position.Log)+", case "+shown(m.Case)))
		writeAnswer(b, p, "before", m.Before.Verdict.Reasons)
		writeAnswer(b, p, "now", m.After.Verdict.Reasons)
	}
	if listed := len(r.mismatches); r.mismatched > listed || !o.all && listed > groupsShown {
		fmt.Fprintf(b, "\nNot all are listed; --all prints up to %d.\n", mismatchesMax)
	}
}

// writeGaps says what could not be said.
func (r *replayer) writeGaps(b *strings.Builder, p paint) {
	said := func(code, format string, args ...any) { fmt.Fprintf(b, "%s\n", p(code, fmt.Sprintf(format, args...))) }
	if r.decisions+r.damaged > 0 {
		b.WriteString("\n")
	}
	for _, why := range r.undecideds() {
		said("35", "%s could not be decided again: %s. Records %s.", count(r.undecided[why].N, "decision"), why, r.undecided[why])
	}
	if r.shortened.N > 0 {
		said("2", "%s had been shortened when written, and what was left out of a ledger counts as too much: records %s.", count(r.shortened.N, "decision"), r.shortened)
	}
	if r.tally.Elsewise > 0 {
		said("35", "%s come out otherwise in this version of Moorgate even under the Guardrails that were recorded (moorgate replay without --policy names them).", count(r.tally.Elsewise, "decision"))
	}
	if r.damaged > 0 {
		said("31", "Left out %s that cannot be trusted; the first: %v. moorgate audit verify checks the log.", count(r.damaged, "record"), r.damage)
	}
	if r.partial != nil {
		said("31", "PARTIAL: interrupted after %s; what came after is not counted.", count(r.read, "record"))
	}
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) + "Z" }
