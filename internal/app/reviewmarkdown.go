package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact/markdown"
)

const (
	// reviewMarker stands first in a review as Markdown. GitHub does not show it.
	reviewMarker = "<!-- moorgate-review -->"

	markdownMost = 60_000 // bytes of a review; GitHub takes 65,536 characters, and CI may add a line of its own
	tableMost    = 25_000 // bytes of its table, so that details have room
	listedMost   = 40     // findings, unknowns and reasons of one rollout, each
)

// reviewMarkdown is the reviews as a comment on a pull request, worst first. Nothing that stands in a manifest is more than
// text in it.
func reviewMarkdown(results []reviewed) string {
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b reviewed) int { return cmp.Compare(gravity(b), gravity(a)) })
	var b strings.Builder
	writeHeadline(&b, sorted)
	writeTable(&b, sorted)
	for i, r := range sorted {
		block := detailsOf(r)
		if b.Len()+len(block) > markdownMost-200 {
			fmt.Fprintf(&b, "\nThe details of %s are left out: a comment has a limit. `moorgate review` prints them all.\n", howMany(len(sorted)-i, "rollout"))
			break
		}
		b.WriteString(block)
	}
	return b.String()
}

// gravity orders results as verdictCode does: a denial is certain, what could not be said is not.
func gravity(r reviewed) int {
	switch {
	case r.err != nil:
		return 2
	case r.judgement.Verdict.Decision == gate.Deny:
		return 3
	case r.judgement.Verdict.Decision == gate.Hold:
		return 1
	}
	return 0
}

var gravityWords = [...]string{"PASS", "WARN", "COULD NOT SAY", "DENY"}

func writeHeadline(b *strings.Builder, sorted []reviewed) {
	var counts [len(gravityWords)]int
	for _, r := range sorted {
		counts[gravity(r)]++
	}
	fmt.Fprintf(b, "%s\n## Moorgate: %s\n\n", reviewMarker, gravityWords[gravity(sorted[0])])
	said := []string{"passed", "warned about", "could not be judged", "denied"}
	var parts []string
	for i := len(counts) - 1; i >= 0; i-- {
		if counts[i] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[i], said[i]))
		}
	}
	fmt.Fprintf(b, "%s: %s.\n", howMany(len(sorted), "rollout"), strings.Join(parts, ", "))
}

func howMany(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func writeTable(b *strings.Builder, sorted []reviewed) {
	b.WriteString("\n| Workload | Answer | Score | Confidence |\n| --- | --- | ---: | ---: |\n")
	for i, r := range sorted {
		score, confidence := "", ""
		if r.err == nil {
			score, confidence = percentOf(r.judgement.Assessment.Score), percentOf(r.judgement.Assessment.Confidence)
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", markdown.Cell(r.ref.String(), markdown.Most), gravityWords[gravity(r)], score, confidence)
		if b.Len()+len(row) > tableMost {
			fmt.Fprintf(b, "\nand %d more of them.\n", len(sorted)-i)
			return
		}
		b.WriteString(row)
	}
}

// detailsOf is what can be unfolded about one rollout.
func detailsOf(r reviewed) string {
	var lines []string
	if r.err != nil {
		lines = append(lines, "could not say: "+markdown.Prose(r.err.Error()))
	} else {
		lines = slices.Concat(findingLines(r), unreadLines(r), reasonLines(r))
	}
	if r.note != "" {
		lines = append(lines, "note: "+markdown.Prose(r.note))
	}
	if said := r.ahead.sentence(); said != "" {
		lines = append(lines, markdown.Prose(said))
	}
	if alone := r.judgement.Assessment.Alone; alone != "" {
		lines = append(lines, "without a model: "+markdown.Prose(alone))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s %s</summary>\n\n", gravityWords[gravity(r)], markdown.HTML(r.ref.String(), markdown.Most))
	for _, line := range lines {
		b.WriteString("- " + line + "\n")
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func findingLines(r reviewed) []string {
	var lines []string
	for _, f := range gate.Weightiest(r.judgement.Assessment.Findings) {
		mark := fmt.Sprintf("−%d", f.Points)
		if f.Hard {
			mark = "fails"
		}
		lines = append(lines, fmt.Sprintf("**%s** %s: %s", mark, markdown.Code(gate.OneLine(f.ID, 64)), markdown.Prose(f.Text)))
	}
	if len(lines) == 0 {
		lines = append(lines, "nothing was found wrong")
	}
	return most(lines, "finding")
}

func unreadLines(r reviewed) []string {
	var lines []string
	for _, e := range r.judgement.Question.Evidence {
		if e.Unread != "" {
			lines = append(lines, fmt.Sprintf("**unknown** %s: %s", markdown.Code(gate.OneLine(e.Source, 200)), markdown.Prose(e.Unread)))
		}
	}
	return most(lines, "unknown")
}

func reasonLines(r reviewed) []string {
	var lines []string
	v := r.judgement.Verdict
	for _, reason := range v.Reasons {
		rail := "no Guardrail"
		if reason.Guardrail != "" {
			rail = "Guardrail " + markdown.Code(gate.OneLine(reason.Guardrail, 253))
		}
		lines = append(lines, fmt.Sprintf("**because** %s (rule %s, %s)", markdown.Prose(reason.Text), markdown.Code(gate.OneLine(reason.Rule, 64)), rail))
	}
	lines = most(lines, "reason")
	if v.Decision == gate.Deny && !r.judgement.Policy.Refuses(v) {
		lines = append(lines, "no Guardrail that denies it enforces here, so applying it would go through")
	}
	return lines
}

// most are the first lines, and how many there are beyond them.
func most(lines []string, what string) []string {
	if more := len(lines) - listedMost; more > 0 {
		return append(lines[:listedMost:listedMost], "and "+howMany(more, what)+" more")
	}
	return lines
}
