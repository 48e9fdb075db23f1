package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"moorgate.dev/internal/gate"
)

// reviewJSON is a result as -o json prints it: one object a rollout, in a list.
type reviewJSON struct {
	Subject    gate.Ref        `json:"subject"`
	Admission  gate.Admission  `json:"admission"`
	Verdict    gate.Verdict    `json:"verdict"`
	Assessment gate.Assessment `json:"assessment"`
	Unread     []string        `json:"unread,omitempty"`
	Note       string          `json:"note,omitempty"`
	// Ahead is what came of --warm.
	Ahead *aheadOf `json:"ahead,omitempty"`
	Error string   `json:"error,omitempty"`
}

func printReviews(w io.Writer, output string, results []reviewed) error {
	if output == "json" {
		list := make([]reviewJSON, len(results))
		for i, r := range results {
			list[i] = reviewJSON{Subject: r.ref, Admission: r.judgement.Policy.Admission(), Verdict: r.judgement.Verdict,
				Assessment: r.judgement.Assessment, Unread: r.judgement.Question.Facts.Unread, Note: r.note, Ahead: r.ahead}
			if r.err != nil {
				list[i].Error = r.err.Error()
			}
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(list); err != nil {
			return fmt.Errorf("print the reviews: %w", err)
		}
		return nil
	}
	if output == "markdown" {
		if _, err := io.WriteString(w, reviewMarkdown(results)); err != nil {
			return fmt.Errorf("print the reviews: %w", err)
		}
		return nil
	}
	paint := painter(w)
	var b strings.Builder
	for i, r := range results {
		if i > 0 {
			b.WriteString("\n")
		}
		writeReview(&b, paint, r)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the reviews: %w", err)
	}
	return nil
}

func writeReview(b *strings.Builder, paint func(code, text string) string, r reviewed) {
	fmt.Fprintf(b, "%s  ", paint("1", shown(r.ref.String())))
	if r.err != nil {
		fmt.Fprintf(b, "%s\n  %s\n", paint("35", "COULD NOT SAY"), shown(r.err.Error()))
		return
	}
	v, a := r.judgement.Verdict, r.judgement.Assessment
	fmt.Fprintf(b, "%s  score %s, confidence %s\n", paint(decisionColours[v.Decision], decisionWords[v.Decision]), percentOf(a.Score), percentOf(a.Confidence))
	for _, f := range a.Findings {
		mark := fmt.Sprintf("-%d", f.Points)
		if f.Hard {
			mark = "fails"
		}
		fmt.Fprintf(b, "  %6s  %-22s %s\n", mark, shown(f.ID), shown(f.Text))
	}
	for _, e := range r.judgement.Question.Evidence {
		if e.Unread != "" {
			fmt.Fprintf(b, "  %6s  %-22s %s\n", "?", shown(e.Source), shown(e.Unread))
		}
	}
	for _, reason := range v.Reasons {
		fmt.Fprintf(b, "  %s %s\n", paint("2", "because"), shown(reason.Text+" (rule "+reason.Rule+", Guardrail "+reason.Guardrail+")"))
	}
	if v.Decision == gate.Deny && !r.judgement.Policy.Refuses(v) {
		fmt.Fprintln(b, "  no Guardrail that denies it enforces here, so applying it would go through")
	}
	if r.note != "" {
		fmt.Fprintf(b, "  note: %s\n", shown(r.note))
	}
	if said := r.ahead.sentence(); said != "" {
		fmt.Fprintf(b, "  %s\n", shown(said))
	}
	if a.Alone != "" {
		fmt.Fprintf(b, "  %s\n", paint("2", "without a model: "+shown(a.Alone)))
	}
}

var (
	decisionWords   = map[gate.Decision]string{gate.Allow: "PASS", gate.Hold: "WARN", gate.Deny: "DENY"}
	decisionColours = map[gate.Decision]string{gate.Allow: "32", gate.Hold: "33", gate.Deny: "31"}
)

func percentOf(n gate.Fact[int]) string {
	if v, known := n.Get(); known {
		return fmt.Sprint(v)
	}
	return "unknown"
}

// painter colours text where w is a terminal.
func painter(w io.Writer) paint { return paints(terminal(w)) }

// paints colours text where colours are wanted.
func paints(wanted bool) paint {
	if !wanted {
		return func(_, text string) string { return text }
	}
	return func(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }
}

// shown is a text from a manifest that anybody may have written, fit for a terminal.
func shown(s string) string { return gate.OneLine(s, 400) }
