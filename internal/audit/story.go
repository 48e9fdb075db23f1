package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"moorgate.dev/internal/gate"
)

const (
	storyTime  = "2006-01-02 15:04:05Z"
	storyItems = 8 // of a list in one sentence
)

// Story tells one happening in plain sentences, from all its entries in the order in which ByCase gathers them: what was seen
// and read, what was on offer, what the model and the advisor made of it, which rule under which Guardrail decided, who
// approved, what was set out to be done and what came of it. What a record says again is not told again.
//
// Each string is one line without a line end; the first of each record begins with its time. It is safe for a terminal, as
// that of Line is.
func Story(entries []Entry) []string {
	if len(entries) == 0 {
		return nil
	}
	var t teller
	t.title(entries)
	for _, e := range entries {
		t.tell(e)
	}
	for _, e := range t.unfinished {
		t.said = append(t.said, fmt.Sprintf("%*s  Record %d of log %s is an intent to %s, and no outcome of it is written down: nobody knows how it ended.",
			len(storyTime), "", e.Position.Sequence, text("", e.Position.Log), plan(e.Record)))
	}
	return t.said
}

// teller remembers what it has told.
type teller struct {
	said       []string
	unfinished []Entry
	signal     gate.Signal
	evidence   string
	menu       string
	opinion    string
	verdict    string
}

// title says what the story is about and where it stands.
func (t *teller) title(entries []Entry) {
	logs := map[string]bool{}
	for _, e := range entries {
		logs[e.Position.Log] = true
	}
	about := text("", entries[0].Record.Correlation)
	if i := slices.IndexFunc(entries, func(e Entry) bool { return e.Record.Signal != nil }); i >= 0 {
		signal := entries[i].Record.Signal
		about += text(": ", signal.Reason) + text(" of ", signal.Subject.String())
	}
	t.said = append(t.said, fmt.Sprintf("%s (%s in %s)", orUnnamed(about), count(len(entries), "record"), count(len(logs), "log")))
}

// tell adds the sentences of one record.
func (t *teller) tell(e Entry) {
	var s sentences
	r := e.Record
	switch r.Kind {
	case gate.RecordVerdict:
		t.seen(&s, r)
		t.weighed(&s, r)
		t.decided(&s, r)
	case gate.RecordModel:
		s.model(r)
	case gate.RecordApproval:
		s.approval(r)
	case gate.RecordIntent:
		t.seen(&s, r)
		t.weighed(&s, r)
		t.unfinished = append(t.unfinished, e)
		s.intent(e)
	case gate.RecordOutcome:
		t.finished(r)
		s.outcome(r)
	case gate.RecordVerification:
		s.verification(r)
	case gate.RecordPullRequest:
		s.say("Pull request %s%s", orNone(r.URL), text(": ", r.Text))
	case gate.RecordNotification:
		s.say("Told %s%s", orNone(r.URL), text(": ", r.Text))
	default:
		s.say("%s", firstUp(gate.OneLine(happened(r), 3*textBytes)))
	}
	at := clock(r.At)
	for i, line := range s {
		if i > 0 {
			at = strings.Repeat(" ", len(storyTime))
		}
		t.said = append(t.said, at+"  "+line)
	}
}

// seen tells of the signal, unless it was told.
func (t *teller) seen(s *sentences, r gate.Record) {
	if r.Signal == nil || r.Signal.Key == t.signal.Key && r.Signal.Face == t.signal.Face && r.Signal.Subject == t.signal.Subject {
		return
	}
	t.signal = *r.Signal
	first := ""
	if at := r.Signal.At; !at.IsZero() && !at.Equal(r.At) {
		first = ", first at " + clock(at)
	}
	s.say("%s saw %s of %s%s%s", firstUp(text("", string(r.Signal.Face))), text("", r.Signal.Reason), text("", r.Signal.Subject.String()), first, text(": ", r.Signal.Text))
}

// weighed tells what a judgement rests on: all of it the first time, and later what is new.
func (t *teller) weighed(s *sentences, r gate.Record) {
	var read sentences
	read.evidence(r.Evidence)
	if told := strings.Join(read, "\n"); told != t.evidence && told != "" {
		t.evidence = told
		*s = append(*s, read...)
	}
	if menu := offered(r.Facts); menu != t.menu && menu != "" {
		t.menu = menu
		s.say("On offer: %s", menu)
	}
	if opinion := opinionOf(r.Assessment); opinion != t.opinion && opinion != "" {
		t.opinion = opinion
		s.say("%s", opinion)
		s.findings(r.Assessment.Findings)
	}
}

// decided tells of a verdict. One that says nothing new is told shortly.
func (t *teller) decided(s *sentences, r gate.Record) {
	if r.Verdict == nil {
		return
	}
	var decided sentences
	decided.decision(r)
	if told := strings.Join(decided, "\n"); told != t.verdict {
		t.verdict = told
		*s = append(*s, decided...)
		return
	}
	s.say("Judged again, and decided %s for the same reasons.", r.Verdict.Decision)
}

// finished takes the newest intent that an outcome closes off the list.
func (t *teller) finished(r gate.Record) {
	for i, e := range slices.Backward(t.unfinished) {
		if e.Record.Correlation == r.Correlation && e.Record.Digest == r.Digest {
			t.unfinished = slices.Delete(t.unfinished, i, i+1)
			return
		}
	}
}

// sentences are what is told of one record.
type sentences []string

// say adds a sentence. What it is given of strangers has passed gate.OneLine.
func (s *sentences) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !strings.HasSuffix(line, ".") && !strings.HasSuffix(line, "…") {
		line += "."
	}
	*s = append(*s, line)
}

// list joins the first of many items.
func list(items []string) string {
	if n := len(items) - storyItems; n > 0 {
		return strings.Join(items[:storyItems], "; ") + fmt.Sprintf("; and %d more", n)
	}
	return strings.Join(items, "; ")
}

func firstUp(s string) string {
	if s == "" {
		return "Something"
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

func orUnnamed(s string) string {
	if s == "" {
		return "A happening without a name"
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orNone(s string) string {
	if s == "" {
		return "(no address is written down)"
	}
	return text("", s)
}

func clock(t time.Time) string { return t.UTC().Format(storyTime) }
