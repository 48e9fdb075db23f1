package advise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

// memoryLog is a log in memory that breaks after so many writes.
type memoryLog struct {
	records []gate.Record
	blobs   []string
	breaks  int // after so many writes, records and blobs alike; 0: never
	writes  int
}

func (s *memoryLog) write() error {
	if s.writes++; s.breaks > 0 && s.writes >= s.breaks {
		return errors.New("the disk is full")
	}
	return nil
}

func (s *memoryLog) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	if err := s.write(); err != nil {
		return gate.Position{}, err
	}
	s.records = append(s.records, r)
	return gate.Position{Log: "log", Sequence: uint64(len(s.records))}, nil
}

func (s *memoryLog) PutBlob(_ context.Context, content []byte) (string, error) {
	if err := s.write(); err != nil {
		return "", err
	}
	s.blobs = append(s.blobs, string(content))
	return fmt.Sprintf("sha256:%064d", len(s.blobs)), nil
}

func TestEveryCallIsWrittenDownBeforeAndAfter(t *testing.T) {
	for _, row := range []struct {
		name   string
		breaks int
		fails  FailureKind // of the model
		sent   bool
		want   FailureKind
	}{
		{"a log that works", 0, "", true, ""},
		{"a log that takes no prompt", 1, "", false, FailedRecord},
		{"a log that takes no record", 2, "", false, FailedRecord},
		{"a log that takes no answer", 3, "", true, FailedRecord},
		{"a log that breaks at the end", 4, "", true, FailedRecord},
		{"a model that fails", 0, FailedServer, true, FailedServer},
		{"a model that fails, and a log that does too", 3, FailedServer, true, FailedServer},
	} {
		t.Run(row.name, func(t *testing.T) {
			sent := ""
			log := &memoryLog{breaks: row.breaks}
			r := Recorded{Log: log, Door: doorForTests(t), Now: func() time.Time { return noon }, NewID: func() string { return "id-1" }, Named: "small", Next: ModelFunc(func(_ context.Context, p Prompt) (Answer, error) {
				sent = p.User
				if row.fails != "" {
					return Answer{}, &Failure{Kind: row.fails, Text: "for the test", Usage: Usage{In: 5}}
				}
				return Answer{Text: "it said password=hunter2trombone", Model: "small-1", Usage: Usage{In: 10, Cached: 4, Out: 3}, MicroUSD: 7}, nil
			})}
			p := promptForTests()
			p.User = "why? DB_PASSWORD=hunter2trombone"
			_, err := r.Ask(t.Context(), p)
			var f *Failure
			if row.want == "" && err != nil || row.want != "" && (!errors.As(err, &f) || f.Kind != row.want) {
				t.Fatalf("%v, want %q", err, row.want)
			}
			if (sent != "") != row.sent || strings.Contains(sent, "hunter2") {
				t.Errorf("sent %q", sent)
			}
			if row.breaks > 0 {
				return
			}
			before, after := log.records[0].Model, log.records[1].Model
			if len(log.records) != 2 || before.ID != "id-1" || after.ID != before.ID || before.Answered+before.Failed != "" || before.Reserved <= p.MaxTokens {
				t.Errorf("%+v\n%+v", before, after)
			}
			if row.fails == "" && (after.Answered == "" || after.TokensIn != 10 || after.TokensCached != 4 || after.TokensOut != 3 || after.MicroUSD != 7 || after.Model != "small-1") {
				t.Errorf("%+v", after)
			}
			if row.fails != "" && (!strings.HasPrefix(after.Failed, string(row.fails)) || after.TokensIn != 5) {
				t.Errorf("%+v", after)
			}
		})
	}
}
