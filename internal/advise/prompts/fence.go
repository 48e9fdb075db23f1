package prompts

import (
	"fmt"
	"strings"
	"time"

	"moorgate.dev/internal/advise/sift"
	"moorgate.dev/internal/gate"
)

// mark stands before each line of data, so that none can pass for a line of ours.
const mark = "| "

const boundaryMin = 16

// checkBoundary refuses a boundary that might be guessed, or that could not be broken up.
func checkBoundary(b string) error {
	if len(b) < boundaryMin {
		return fmt.Errorf("render a question: the boundary has %d characters, and needs %d", len(b), boundaryMin)
	}
	for _, c := range []byte(b) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return fmt.Errorf("render a question: the boundary holds something else than letters and digits")
		}
	}
	return nil
}

// fence makes text from elsewhere harmless by one boundary.
type fence struct{ boundary string }

// broken is s without the boundary: what it had of it is broken up.
func (f fence) broken(s string) string {
	half := len(f.boundary) / 2
	for strings.Contains(s, f.boundary) { // what was broken up may leave another
		s = strings.ReplaceAll(s, f.boundary, f.boundary[:half]+"~"+f.boundary[half:])
	}
	return s
}

// name is a name or a sentence that stands in a line of ours: one line, short, and without what we quote ids with.
func (f fence) name(s string, limit int) string {
	s = strings.NewReplacer("\r", " ", "`", "'").Replace(s)
	return f.broken(gate.OneLine(sift.Clean(s), limit))
}

// lines are those of a text, each fit to be shown.
func (f fence) lines(text string) []string {
	text = strings.TrimRight(text, "\r\n \t")
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, f.broken(sift.Clean(line)))
	}
	return out
}

// item writes one piece of evidence between its fences, and returns its text as it stands there.
func (f fence) item(b *strings.Builder, e gate.Evidence, at time.Time) string {
	fmt.Fprintf(b, "<<<%s item id=%q class=%s age=%s source=%q", f.boundary, f.name(e.ID, idMax), classOf(e.Trust), age(e.At, at), f.name(e.Source, lineMax))
	if e.Left != "" {
		fmt.Fprintf(b, " shortened=%q", f.name(e.Left, lineMax))
	}
	b.WriteByte('\n')
	lines := f.lines(e.Text)
	for _, l := range lines {
		b.WriteString(mark)
		b.WriteString(l)
		b.WriteByte('\n')
	}
	b.WriteString(f.boundary)
	b.WriteString(">>>\n")
	return strings.Join(lines, "\n")
}

// classOf is the trust class as a word of ours.
func classOf(t gate.Trust) string {
	switch t {
	case gate.FromAPI, gate.FromGit, gate.FromMetric, gate.FromEvent, gate.FromLog:
		return string(t)
	}
	return "unknown"
}

// age is how old something was when the world was looked at, in its largest unit.
func age(then, at time.Time) string {
	if then.IsZero() || at.IsZero() {
		return "unknown"
	}
	switch d := at.Sub(then); {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}
