package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/duration"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// caseLine is a Case as it is listed. Its texts may have been written by anybody.
type caseLine struct {
	Namespace  string    `json:"namespace"`
	Name       string    `json:"name"`
	Face       string    `json:"face"`
	Subject    string    `json:"subject"`
	Happening  string    `json:"happening"`
	Cause      string    `json:"cause,omitempty"`
	Verdict    string    `json:"verdict,omitempty"`
	Score      *int32    `json:"score,omitempty"`
	Confidence *int32    `json:"confidence,omitempty"`
	Answer     string    `json:"answer,omitempty"`
	Acting     string    `json:"acting,omitempty"`
	Why        string    `json:"why,omitempty"`
	Opened     time.Time `json:"opened"`
	Waits      waiting   `json:"waits"`
}

func lineOf(c *v1alpha1.Case) caseLine {
	l := caseLine{Namespace: c.Namespace, Name: c.Name, Face: c.Spec.Signal.Face, Subject: shown(c.Spec.Subject.Kind + "/" + c.Spec.Subject.Name),
		Happening: shown(c.Spec.Signal.Reason), Cause: shown(c.Status.Cause), Verdict: c.Status.Decision, Score: c.Status.Score, Confidence: c.Status.Confidence,
		Answer: c.Status.Answer, Why: shown(c.Status.Summary), Opened: c.CreationTimestamp.Time, Waits: waitsFor(c)}
	l.Waits.What = shown(l.Waits.What)
	if c.Status.Acting != nil {
		l.Acting = c.Status.Acting.Phase
	}
	return l
}

// sortLines puts what needs a human most first, and of those alike the newest.
func sortLines(list []caseLine) []caseLine {
	slices.SortStableFunc(list, func(a, b caseLine) int {
		return cmp.Or(cmp.Compare(a.Waits.rank, b.Waits.rank), b.Opened.Compare(a.Opened), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (w waiting) String() string {
	switch {
	case w.For == forNobody && w.What == "":
		return "-"
	case w.For == forNobody:
		return "- (" + w.What + ")"
	}
	return strings.TrimSuffix(w.For+": "+w.What, ": ")
}

// casesPage prints Cases as they are asked for, at first and as they change.
type casesPage struct {
	options casesOptions
	w       io.Writer
	paint   paint
	now     func() time.Time
	widths  []int // of the columns, so that rows that come later stand below the first
}

func (p *casesPage) first(list []caseLine) error {
	switch p.options.output {
	case "name":
		return p.names(list)
	case "json":
		if p.options.watch {
			return p.jsonLines(list)
		}
		return printJSON(p.w, "Cases", append([]caseLine{}, list...))
	}
	if len(list) == 0 && !p.options.watch {
		return nil
	}
	rows := [][]string{p.heads()}
	for _, l := range list {
		rows = append(rows, p.cells(l))
	}
	p.widths = make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			p.widths[i] = max(p.widths[i], utf8.RuneCountInString(cell))
		}
	}
	return p.rows(rows, list)
}

// more prints a Case that came or changed.
func (p *casesPage) more(l caseLine) error {
	switch p.options.output {
	case "name":
		return p.names([]caseLine{l})
	case "json":
		return p.jsonLines([]caseLine{l})
	}
	return p.rows([][]string{p.cells(l)}, []caseLine{l})
}

func (p *casesPage) heads() []string {
	heads := []string{"CASE", "FACE", "SUBJECT", "CAUSE", "VERDICT", "SCORE", "SURE", "AGE", "WAITS FOR"}
	if p.options.all {
		heads = append([]string{"NAMESPACE"}, heads...)
	}
	if p.options.output == "wide" {
		heads = append(heads, "HAPPENING", "ANSWER", "ACTING", "WHY")
	}
	return heads
}

func (p *casesPage) cells(l caseLine) []string {
	cells := []string{l.Name, l.Face, l.Subject, cmp.Or(l.Cause, "-"), cmp.Or(l.Verdict, "-"), numberOf(l.Score), numberOf(l.Confidence),
		duration.HumanDuration(p.now().Sub(l.Opened)), l.Waits.String()}
	if p.options.all {
		cells = append([]string{l.Namespace}, cells...)
	}
	if p.options.output == "wide" {
		cells = append(cells, l.Happening, cmp.Or(l.Answer, "-"), cmp.Or(l.Acting, "-"), cmp.Or(l.Why, "-"))
	}
	return cells
}

func numberOf(n *int32) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

// rows prints rows below each other; the last ones are those of lines, which give them their colours.
func (p *casesPage) rows(rows [][]string, lines []caseLine) error {
	heads := p.heads()
	for i, row := range rows {
		var b strings.Builder
		for j, cell := range row {
			padded := cell
			if j < len(row)-1 {
				padded += strings.Repeat(" ", max(0, p.widths[j]-utf8.RuneCountInString(cell))) + "   "
			}
			if at := i - (len(rows) - len(lines)); at >= 0 {
				padded = painted(p.paint, heads[j], padded, lines[at])
			}
			b.WriteString(padded)
		}
		if _, err := fmt.Fprintln(p.w, strings.TrimRight(b.String(), " ")); err != nil {
			return fmt.Errorf("print the Cases: %w", err)
		}
	}
	return nil
}

// painted colours what a glance should find.
func painted(p paint, column, text string, l caseLine) string {
	var d gate.Decision
	switch {
	case column == "WAITS FOR" && l.Waits.rank == rankUrgent:
		return p("31", text)
	case column == "WAITS FOR" && l.Waits.For == forHuman:
		return p("1", text)
	case column == "VERDICT" && d.UnmarshalText([]byte(l.Verdict)) == nil:
		return p(decisionColours[d], text)
	}
	return text
}

func (p *casesPage) names(list []caseLine) error {
	for _, l := range list {
		name := "case/" + l.Name
		if p.options.all {
			name = l.Namespace + "/" + l.Name
		}
		if _, err := fmt.Fprintln(p.w, name); err != nil {
			return fmt.Errorf("print the Cases: %w", err)
		}
	}
	return nil
}

func (p *casesPage) jsonLines(list []caseLine) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	for _, l := range list {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("print the Cases: %w", err)
		}
	}
	return nil
}
