package forge

import (
	"fmt"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/redact/markdown"
)

// Story is what a pull request tells the people who decide on it. Its texts may be anybody's: they are shown as texts.
type Story struct {
	Object string // Deployment shop/web
	Rows   []Row
	// Why are the reasons to think that it should be adopted, each with its evidence; Intent is what it is taken for, such as "hotfix".
	Intent string
	Why    []string
	// Model is what a model said about it, if one was asked.
	Model string
	// RestartsNothing is whether it is proven that merging changes nothing in the cluster.
	RestartsNothing bool
	// Revert are the commands that bring the cluster back to Git instead, for people to run.
	Revert []string
	Case   string // shop/drift-1234
	Audit  string // record 12 of log 0f3a
}

// Row is one field that differs. Git and Live are the values, or their masks.
type Row struct {
	Field, Git, Live string
	Who              string    // empty: nobody knows
	Manager          string    // the field manager by which it was written, by its own word
	When             time.Time // zero: nobody knows
	Where            string    // deploy/web.yaml:14
}

const (
	storyRows = 50
	storyWhy  = 20
	cellMost  = 120
)

// Markdown writes it down. Every text passes the door before it is cut and quoted, because half of a secret, or one in quotes, may not
// look like one any more.
func (s Story) Markdown(door *redact.Door) string {
	s = s.through(door)
	var b strings.Builder
	b.WriteString("The cluster differs from Git, and this would make Git say what the cluster says.\n\n")
	b.WriteString("**What:** " + markdown.Code(gate.OneLine(s.Object, 300)) + "\n\n")
	s.table(&b)
	b.WriteString("\n### Why it is proposed\n\n")
	if s.Intent != "" {
		b.WriteString("It looks like: " + markdown.Prose(s.Intent) + ".\n\n")
	}
	listed(&b, s.Why)
	if s.Model != "" {
		b.WriteString("\nA model was asked too. It decided nothing; in its words: " + markdown.Prose(s.Model) + "\n")
	}
	b.WriteString("\n### What merging does\n\n")
	if s.RestartsNothing {
		b.WriteString("Merging restarts nothing: what Git would say then is what the API server has already, as a dry run showed.\n")
	} else {
		b.WriteString("Whether delivering it restarts anything is not proven. Look at it before you merge.\n")
	}
	b.WriteString("Moorgate never merges. Closing this is a no that is remembered until the value changes.\n")
	s.revert(&b)
	b.WriteString("\n---\nCase " + markdown.Code(gate.OneLine(s.Case, 300)))
	if s.Audit != "" {
		b.WriteString(", " + markdown.Code(gate.OneLine(s.Audit, 200)))
	}
	b.WriteString("\n")
	return b.String()
}

func (s Story) through(door *redact.Door) Story {
	for _, text := range []*string{&s.Object, &s.Intent, &s.Model, &s.Case, &s.Audit} {
		*text = door.Text(*text)
	}
	rows := make([]Row, len(s.Rows))
	for i, r := range s.Rows {
		for _, text := range []*string{&r.Field, &r.Git, &r.Live, &r.Who, &r.Manager, &r.Where} {
			*text = door.Text(*text)
		}
		rows[i] = r
	}
	s.Rows, s.Why, s.Revert = rows, throughAll(door, s.Why), throughAll(door, s.Revert)
	return s
}

func throughAll(door *redact.Door, texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = door.Text(text)
	}
	return out
}

func (s Story) table(b *strings.Builder) {
	b.WriteString("| Field | Git | Cluster | Who | When | Source |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range s.Rows[:min(len(s.Rows), storyRows)] {
		who, when := "not known", "not known"
		switch {
		case r.Who != "" && r.Manager != "":
			who = markdown.Cell(r.Who, cellMost) + " by " + markdown.Cell(r.Manager, cellMost)
		case r.Who != "":
			who = markdown.Cell(r.Who, cellMost)
		case r.Manager != "":
			who = "not known; by " + markdown.Cell(r.Manager, cellMost)
		}
		if !r.When.IsZero() {
			when = r.When.UTC().Format("2006-01-02 15:04:05Z")
		}
		cells := []string{filled(r.Field), filled(r.Git), filled(r.Live), who, when, filled(r.Where)}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	if more := len(s.Rows) - storyRows; more > 0 {
		fmt.Fprintf(b, "\nand %d fields more.\n", more)
	}
}

// filled is a cell of a table, which may be empty: code cannot be.
func filled(text string) string {
	if text = gate.OneLine(text, cellMost); text == "" {
		return "—"
	}
	return markdown.Cell(text, cellMost)
}

func listed(b *strings.Builder, lines []string) {
	for _, line := range lines[:min(len(lines), storyWhy)] {
		b.WriteString("- " + markdown.Prose(line) + "\n")
	}
	if more := len(lines) - storyWhy; more > 0 {
		fmt.Fprintf(b, "- and %d reasons more\n", more)
	}
}

// revert says how to go the other way. A command is one line of code of its own, so that nothing in it ends it.
func (s Story) revert(b *strings.Builder) {
	if len(s.Revert) == 0 {
		return
	}
	b.WriteString("\n### To go back to Git instead\n\nClose this, and run:\n\n")
	for _, command := range s.Revert[:min(len(s.Revert), storyWhy)] {
		b.WriteString("- " + markdown.Code(gate.OneLine(command, 500)) + "\n")
	}
}
