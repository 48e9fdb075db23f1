package advise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"moorgate.dev/internal/gate"
)

// CassetteMode says when the model behind a Cassette is asked. The zero value asks nobody.
type CassetteMode string

// The modes.
const (
	CassetteReplay CassetteMode = ""       // answers what is recorded, and sends nothing
	CassetteRecord CassetteMode = "record" // asks, and replaces what is recorded
	CassetteAuto   CassetteMode = "auto"   // asks only what is not recorded
)

// Cassette is a Model that records what another says, and replays it: one file for each call under Folder, named by the hash of
// the question. Which model answered, its budgets and its Case are not part of the question. Refusals and answers of no use are
// recorded as answers are; faults of the endpoint are not. What Redact makes of the texts is all that is written, hashed and
// returned, so that a replay says what the recording said. It is safe for use by several goroutines.
type Cassette struct {
	Next   Model // may be nil where Mode is CassetteReplay
	Folder string
	Mode   CassetteMode
	// Redact takes secrets out of a text. It must be the same, with the same key, for recording and replaying.
	Redact func(string) string
}

// Ask replays or records. What is not recorded, or cannot be read or written, is FailedCassette.
func (c Cassette) Ask(ctx context.Context, p Prompt) (Answer, error) {
	if c.Redact == nil {
		return Answer{}, uncut("a cassette needs a redaction to keep secrets out of its files: nothing was sent")
	}
	asked, err := taped(p, c.Redact)
	if err != nil {
		return Answer{}, uncut("%v", err)
	}
	path := filepath.Join(c.Folder, asked.file())
	switch c.Mode {
	case CassetteRecord:
	case CassetteReplay, CassetteAuto:
		t, err := readTape(path, asked)
		switch {
		case err == nil:
			return t.said()
		case !errors.Is(err, fs.ErrNotExist):
			return Answer{}, uncut("%v", err) // never replaced unseen: somebody may have written it by hand
		case c.Mode == CassetteReplay:
			return Answer{}, uncut("%s, sample %d of %s, was never recorded as %s: record it, or see what changed in the prompt", p.Name, p.Sample, p.Tier, asked.file())
		}
	default:
		return Answer{}, uncut("a cassette has no mode %q: it replays, records or does what is needed (auto)", c.Mode)
	}
	if c.Next == nil {
		return Answer{}, uncut("there is no model to record")
	}
	return c.record(ctx, p, asked, path)
}

// record asks, and writes down what came of it.
func (c Cassette) record(ctx context.Context, p Prompt, asked tapedPrompt, path string) (Answer, error) {
	a, err := c.Next.Ask(ctx, p)
	t := tape{Asked: asked}
	if err != nil {
		var f *Failure
		if !errors.As(err, &f) || !lasting(f) {
			return a, err
		}
		t.Failed = &tapedFailure{Kind: f.Kind, Text: c.Redact(f.Text), Usage: f.Usage, MicroUSD: f.MicroUSD}
	} else {
		t.Answered = answered(a, c.Redact)
	}
	if err := writeTape(path, t); err != nil {
		return Answer{}, &Failure{Kind: FailedCassette, Text: gate.OneLine(err.Error(), 300), Usage: a.Usage, MicroUSD: a.MicroUSD}
	}
	return t.said()
}

// lasting is whether a failure is what the model has to say, and not an accident of the day. A connection that ended has no usage.
func lasting(f *Failure) bool {
	switch f.Kind {
	case FailedRefusal, FailedFilter, FailedAnswer:
		return true
	case FailedCut:
		return f.Usage.Total() > 0
	}
	return false
}

func uncut(format string, args ...any) *Failure {
	return &Failure{Kind: FailedCassette, Text: gate.OneLine(fmt.Sprintf(format, args...), 300)}
}

// writeTape writes a file whole or not at all.
func writeTape(path string, t tape) error {
	raw, err := t.bytes()
	if err != nil {
		return fmt.Errorf("record an answer: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("make the folder of a cassette: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".recording-*")
	if err != nil {
		return fmt.Errorf("record an answer: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("record an answer: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
