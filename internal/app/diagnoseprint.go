package app

import (
	"fmt"
	"io"
	"strings"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/remediate"
)

// printDiagnosis prints what a scan found, as it was asked for. Everything that is said of the cluster passes the door: images, names
// and conditions are other people's words.
func printDiagnosis(w io.Writer, o diagnoseOptions, r remediate.Report) error {
	door, err := openDoor("")
	if err != nil {
		return err
	}
	if o.output == "json" {
		return printJSON(w, "diagnosis", diagnosisJSON(r, door))
	}
	p := &page{paint: paints(o.color == "always" || o.color == "auto" && terminal(w))}
	for _, f := range r.Findings {
		findingText(p, f, door)
	}
	for _, u := range r.Unread {
		p.line("not read", "%s", door.Text(u))
	}
	fmt.Fprintf(p, "%s looked at; %s\n", howMany(r.Looked, "object"), sum(r))
	if _, err := io.WriteString(w, strings.TrimPrefix(p.String(), "\n")); err != nil {
		return fmt.Errorf("print the diagnosis: %w", err)
	}
	return nil
}

func sum(r remediate.Report) string {
	text := howMany(len(r.Findings), "thing") + " found wrong"
	if len(r.Findings) == 0 {
		text = "nothing was found wrong"
	}
	if len(r.Unread) > 0 {
		text += ", and not everything could be read"
	}
	return text
}

func findingText(p *page, f remediate.Finding, door *redact.Door) {
	root := f.Key.Root
	fmt.Fprintln(p)
	for _, row := range wrapped(gate.OneLine(door.Text(f.Title), 400), pageWide) {
		fmt.Fprintln(p, p.paint("1;31", row))
	}
	p.line("in", "%s", root.Namespace)
	for i, x := range f.Assessment.Findings {
		if i == 0 {
			p.line("cause", "%s (%s, confidence %s)", door.Text(x.Text), causeOf(f), percentOf(f.Assessment.Confidence))
		} else {
			p.line("but", "%s", door.Text(x.Text))
		}
	}
	for _, e := range f.World.Evidence {
		if e.Unread != "" {
			p.line("not read", "%s: %s", door.Text(e.Source), door.Text(e.Unread))
		} else if e.Text != "" {
			p.line("evidence", "%s", gate.OneLine(door.Text(e.Text), 300))
		}
	}
	for _, c := range f.Verdicts {
		consideredText(p, c, door)
	}
	switch {
	case f.Case != "" && f.Over:
		p.line("Case", "%s/%s, which says that it was over", root.Namespace, f.Case)
	case f.Case != "":
		p.line("Case", "%s/%s", root.Namespace, f.Case)
	}
}

// consideredText tells one item of a menu. What changes nothing is told only where it is the choice.
func consideredText(p *page, c remediate.Considered, door *redact.Door) {
	if c.Action.Reach == gate.ReachNothing {
		if c.Chosen {
			p.line("advice", "%s", door.Text(c.Action.Text))
		}
		return
	}
	chosen := ""
	if c.Chosen {
		chosen = ", which is what would be chosen"
	}
	p.line("could", "%s%s: %s", door.Text(c.Action.Text), chosen, answerTo(c))
	var hidden []string
	for _, r := range c.Verdict.Reasons {
		if onlyJudge(r) {
			hidden = append(hidden, r.Rule)
			continue
		}
		p.line("", "%s: %s (rule %s%s)", strings.ToLower(r.Decision.String()), door.Text(r.Text), r.Rule, railOf(r.Guardrail))
	}
	if len(hidden) > 0 {
		p.line("", "not known here: %s (%s)", strings.Join(unique(hidden), ", "), remediate.OnlyTheJudgeKnows)
	}
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
