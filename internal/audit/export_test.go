package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestExportLinesReadsBack(t *testing.T) {
	dir := written(t, 5)
	var b bytes.Buffer
	if err := ExportLines(&b, Read(dir)); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&b)
	for _, want := range mustRead(t, dir) {
		var got Entry
		if err := d.Decode(&got); err != nil || got.Position != want.Position || got.Hash != want.Hash || got.Record.Text != want.Record.Text {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	flip(t, files(t, dir, ".jsonl")[0], 1)
	if err := ExportLines(&b, Read(dir)); err == nil {
		t.Error("a damaged log was exported without a word")
	}
}

func TestExportPairsLearnsOnlyFromWhatHealed(t *testing.T) {
	without := func(kind gate.RecordKind) []Entry {
		return slices.DeleteFunc(night(), func(e Entry) bool { return e.Record.Kind == kind })
	}
	with := func(kind gate.RecordKind, change func(*gate.Record)) []Entry {
		all := night()
		for i := range all {
			if all[i].Record.Kind == kind {
				change(&all[i].Record)
			}
		}
		return all
	}
	unknown := gate.OutcomeUnknown
	worse := gate.Record{Kind: gate.RecordVerification, Correlation: seen().Correlation, At: at("03:00:00"), Result: gate.ResultWorsened}
	for name, c := range map[string]struct {
		entries []Entry
		want    int
	}{
		"a case that healed":                                  {night(), 1},
		"nobody looked afterwards":                            {without(gate.RecordVerification), 0},
		"nobody knows how the action came out":                {with(gate.RecordOutcome, func(r *gate.Record) { r.Outcome = &unknown }), 0},
		"an action without an outcome":                        {without(gate.RecordOutcome), 0},
		"it healed, and got worse later":                      {append(night(), numbered("act-a", 20, worse)...), 0},
		"it did not help":                                     {with(gate.RecordVerification, func(r *gate.Record) { r.Result = gate.ResultIneffective }), 0},
		"what was done is not what was chosen":                {with(gate.RecordIntent, func(r *gate.Record) { r.Assessment.Choice = []string{"escalate"} }), 0},
		"nobody knows the cause":                              {with(gate.RecordIntent, func(r *gate.Record) { r.Assessment.Cause = "" }), 0},
		"a rollout that was denied has no outcome to confirm": {refused(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if n, err := ExportPairs(&b, each(c.entries), nil); err != nil || n != c.want || bytes.Count(b.Bytes(), []byte("\n")) != n {
				t.Errorf("%d pairs, %v:\n%s", n, err, b.String())
			}
		})
	}
}

func TestAPairIsEvidenceAndTheAnswerThatProvedRight(t *testing.T) {
	all := night()
	long := "the whole of what the pod says"
	for i := range all {
		if len(all[i].Record.Evidence) > 0 {
			all[i].Record.Evidence[0].Blob, all[i].Record.Evidence[1].Blob = "sha256:there", "sha256:gone"
		}
	}
	blob := func(digest string) ([]byte, error) {
		if digest == "sha256:there" {
			return []byte(long), nil
		}
		return nil, errors.New("gone")
	}
	var b bytes.Buffer
	if n, err := ExportPairs(&b, each(all), blob); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	var p pair
	if err := json.Unmarshal(b.Bytes(), &p); err != nil || len(p.Messages) != 3 {
		t.Fatal(err, b.String())
	}
	for i, role := range []string{"system", "user", "assistant"} {
		if p.Messages[i].Role != role {
			t.Errorf("message %d is of %s", i, p.Messages[i].Role)
		}
	}
	for _, part := range []string{"CrashLoop of Deployment/web in shop", long, "Back-off restarting", "could not be read: no metrics server", "- evict: evict Pod/web", "- escalate:"} {
		if !strings.Contains(p.Messages[1].Content, part) {
			t.Errorf("the question lacks %q:\n%s", part, p.Messages[1].Content)
		}
	}
	if got := p.Messages[2].Content; got != `{"cause":"bad-node","choice":["evict"]}` {
		t.Errorf("the answer is %s", got)
	}
}
