package advise

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"moorgate.dev/internal/gate"
)

// tape is one file of a cassette: what was asked, and either an answer or a failure. Texts are lists of lines, so that a person
// can read them, and two versions of them differ by lines.
type tape struct {
	Asked    tapedPrompt   `json:"asked"`
	Answered *tapedAnswer  `json:"answered,omitempty"`
	Failed   *tapedFailure `json:"failed,omitempty"`
}

type tapedPrompt struct {
	Face   gate.Face       `json:"face"`
	Name   string          `json:"name"`
	Tier   Tier            `json:"tier"`
	Sample int             `json:"sample"`
	System []string        `json:"system"`
	User   []string        `json:"user"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

type tapedAnswer struct {
	Model string   `json:"model"`
	Text  []string `json:"text,omitempty"`
	// Bytes stands in Text's place where that is no UTF-8, which JSON would mend.
	Bytes      []byte            `json:"bytes,omitempty"`
	Usage      Usage             `json:"usage"`
	MicroUSD   int64             `json:"microUSD"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Degraded   []string          `json:"degraded,omitempty"`
	TookMS     int64             `json:"tookMS"`
}

type tapedFailure struct {
	Kind     FailureKind `json:"kind"`
	Text     string      `json:"text"`
	Usage    Usage       `json:"usage"`
	MicroUSD int64       `json:"microUSD"`
}

// tapeBytes is how long a file may be: a prompt and an answer at their longest, escaped.
const tapeBytes = 16 << 20

// taped is what is kept of a prompt.
func taped(p Prompt, redacted func(string) string) (tapedPrompt, error) {
	lines := func(s string) []string { return strings.Split(strings.ToValidUTF8(redacted(s), "\uFFFD"), "\n") }
	t := tapedPrompt{Face: p.Face, Name: p.Name, Tier: p.Tier, Sample: p.Sample, System: lines(p.System), User: lines(p.User)}
	if len(p.Schema) == 0 {
		return t, nil
	}
	var schema bytes.Buffer
	if err := json.Compact(&schema, []byte(strings.ToValidUTF8(redacted(string(p.Schema)), "\uFFFD"))); err != nil {
		return t, fmt.Errorf("the schema of %s is no JSON, or none any more once it is redacted: %w", p.Name, err)
	}
	t.Schema = schema.Bytes()
	return t, nil
}

// hash is of everything in a question. Each part is preceded by its length, so that no two questions run together to the same.
func (t tapedPrompt) hash() string {
	h := sha256.New()
	for _, part := range []string{string(t.Face), t.Name, string(t.Tier), fmt.Sprint(t.Sample), strings.Join(t.System, "\n"), strings.Join(t.User, "\n"), string(t.Schema)} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// file is the name of the file of a question. Nothing in it leads out of the folder.
func (t tapedPrompt) file() string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '@' || r == '-' {
			return r
		}
		return '_'
	}, string(t.Tier)+"-"+t.Name)
	return fmt.Sprintf("%.60s-%d-%s.json", plain, t.Sample, t.hash())
}

func answered(a Answer, redacted func(string) string) *tapedAnswer {
	t := &tapedAnswer{Model: a.Model, Usage: a.Usage, MicroUSD: a.MicroUSD, Parameters: a.Parameters, Degraded: a.Degraded, TookMS: a.Took.Milliseconds()}
	if text := redacted(a.Text); utf8.ValidString(text) {
		t.Text = strings.Split(text, "\n")
	} else {
		t.Bytes = []byte(text)
	}
	return t
}

// said is what the model said, or how it failed.
func (t tape) said() (Answer, error) {
	if f := t.Failed; f != nil {
		return Answer{}, &Failure{Kind: f.Kind, Text: f.Text, Usage: f.Usage, MicroUSD: f.MicroUSD}
	}
	a := t.Answered
	text := strings.Join(a.Text, "\n")
	if len(a.Bytes) > 0 {
		text = string(a.Bytes)
	}
	return Answer{Text: text, Model: a.Model, Usage: a.Usage, MicroUSD: a.MicroUSD, Parameters: a.Parameters, Degraded: a.Degraded,
		Took: time.Duration(a.TookMS) * time.Millisecond}, nil
}

func (t tape) bytes() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(t)
	return out.Bytes(), err
}

// readTape reads the file of a question, and is sure that it is the answer to that question.
func readTape(path string, asked tapedPrompt) (tape, error) {
	f, err := os.Open(path) //nolint:gosec // a folder that the caller chose, and a name made here
	if err != nil {
		return tape{}, fmt.Errorf("open a recorded answer: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, tapeBytes+1))
	if err != nil {
		return tape{}, fmt.Errorf("read a recorded answer: %w", err)
	}
	t, err := parseTape(raw)
	if err != nil {
		return tape{}, fmt.Errorf("read the recorded answer %s: %w", asked.file(), err)
	}
	if t.Asked.hash() != asked.hash() {
		return tape{}, fmt.Errorf("read the recorded answer %s: it answers another question: record it again", asked.file())
	}
	return t, nil
}

// parseTape reads one file of a cassette.
func parseTape(raw []byte) (tape, error) {
	var t tape
	if len(raw) > tapeBytes {
		return t, fmt.Errorf("it is longer than %d MiB", tapeBytes>>20)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return t, fmt.Errorf("it is no recording: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return t, errors.New("something stands after the recording")
	}
	if (t.Answered == nil) == (t.Failed == nil) {
		return t, errors.New("it must hold an answer or a failure, and not both")
	}
	if t.Failed != nil && !slices.Contains([]FailureKind{FailedRefusal, FailedFilter, FailedAnswer, FailedCut}, t.Failed.Kind) {
		return t, fmt.Errorf("a failure of the kind %q is not recorded", t.Failed.Kind)
	}
	if len(t.Asked.Schema) > 0 {
		var schema bytes.Buffer
		if err := json.Compact(&schema, t.Asked.Schema); err != nil {
			return t, fmt.Errorf("its schema is no JSON: %w", err)
		}
		t.Asked.Schema = schema.Bytes()
	}
	return t, nil
}
