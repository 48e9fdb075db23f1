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
	// Hold are the commands by which people keep who delivers from undoing it until they have decided, and by which they let go again;
	// HoldNot says why there are none. Both may be empty: nobody is known to undo it.
	Hold    []string
	HoldNot string
	Case    string // shop/drift-1234
	Audit   string // record 12 of log 0f3a
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
	storyRows  = 50
	storyTexts = 20 // reasons, and commands
	cellMost   = 120
)

// Markdown writes it down. Every text passes the door before it is cut and quoted, because half of a secret, or one in quotes, may not
// look like one any more.
func (s Story) Markdown(door *redact.Door) string {
	more := max(0, len(s.Rows)-storyRows)
	s = s.through(door)
	var b strings.Builder
	b.WriteString("The cluster differs from Git, and this would make Git say what the cluster says.\n\n")
	b.WriteString("**What:** " + markdown.Code(gate.OneLine(s.Object, 300)) + "\n\n")
	s.table(&b, more)
	b.WriteString("\n### Why it is proposed\n\n")
	if s.Intent != "" {
		b.WriteString("It looks like: " + markdown.Prose(s.Intent) + ".\n\n")
	}
	for _, line := range s.Why {
		b.WriteString("- " + markdown.Prose(line) + "\n")
	}
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
	s.hold(&b)
	s.revert(&b)
	b.WriteString("\n---\nCase " + markdown.Code(gate.OneLine(s.Case, 300)))
	if s.Audit != "" {
		b.WriteString(", " + markdown.Code(gate.OneLine(s.Audit, 200)))
	}
	b.WriteString("\n")
	return b.String()
}

func (s Story) through(door *redact.Door) Story {
	for _, text := range []*string{&s.Object, &s.Intent, &s.Model, &s.HoldNot, &s.Case, &s.Audit} {
		*text = door.Text(*text)
	}
	rows := make([]Row, min(len(s.Rows), storyRows))
	for i, r := range s.Rows[:len(rows)] {
		for _, text := range []*string{&r.Field, &r.Git, &r.Live, &r.Who, &r.Manager, &r.Where} {
			*text = door.Text(*text)
		}
		rows[i] = r
	}
	s.Rows, s.Why, s.Revert, s.Hold = rows, firstOf(door, s.Why), firstOf(door, s.Revert), firstOf(door, s.Hold)
	return s
}

// firstOf are the first texts, as they come through the door; how many more there are stands last.
func firstOf(door *redact.Door, texts []string) []string {
	out := make([]string, 0, storyTexts+1)
	for _, text := range texts[:min(len(texts), storyTexts)] {
		out = append(out, door.Text(text))
	}
	if more := len(texts) - storyTexts; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

func (s Story) table(b *strings.Builder, more int) {
	b.WriteString("| Field | Git | Cluster | Who | When | Source |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range s.Rows {
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
	if more > 0 {
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

// hold says how to keep the change until somebody has decided.
func (s Story) hold(b *strings.Builder) {
	if len(s.Hold) == 0 && s.HoldNot == "" {
		return
	}
	b.WriteString("\n### Until this is decided\n\n")
	if len(s.Hold) > 0 {
		b.WriteString("What delivers this object may undo the change before that. To keep it from that, for this object alone, and to let it go on once this is merged or closed, run:\n\n")
		commands(b, s.Hold)
	}
	if s.HoldNot != "" {
		b.WriteString(markdown.Prose(s.HoldNot) + "\n")
	}
}

// revert says how to go the other way.
func (s Story) revert(b *strings.Builder) {
	if len(s.Revert) == 0 {
		return
	}
	b.WriteString("\n### To go back to Git instead\n\nClose this, and run:\n\n")
	commands(b, s.Revert)
}

// commands lists commands. Each is one line of code of its own, so that nothing in it ends it.
func commands(b *strings.Builder, all []string) {
	for _, command := range all {
		b.WriteString("- " + markdown.Code(gate.OneLine(command, 500)) + "\n")
	}
}
