package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func asIs(s string) string { return s }

// tune exports entries and reads back what was written.
func tune(t *testing.T, entries []Entry, blobs Blobs) ([]example, Tuned) {
	t.Helper()
	if blobs == nil {
		blobs = func(string) ([]byte, error) { return nil, ErrNoBlob }
	}
	var b bytes.Buffer
	told, err := ExportTuning(&b, each(entries), blobs, asIs)
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	for line := range strings.Lines(b.String()) {
		var x example
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err, line)
		}
		all = append(all, x)
	}
	if len(all) != told.Examples {
		t.Fatalf("%d lines, and %d are told", len(all), told.Examples)
	}
	return all, told
}

func TestWhatIsLearnedIsWhatIsKnownToHaveEnded(t *testing.T) {
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
	reject := gate.Record{Kind: gate.RecordApproval, Correlation: seen().Correlation, At: at("02:20:00"), Approval: &gate.Approval{Plan: evict.PlanDigest(), Reject: true}}
	const none = -1
	for name, c := range map[string]struct {
		entries []Entry
		weight  int
		left    string
	}{
		"a Case that healed":                                  {night(), 1, ""},
		"nobody looked afterwards":                            {without(gate.RecordVerification), none, "nobody verified how the workload fared"},
		"nobody knows how the action came out":                {with(gate.RecordOutcome, func(r *gate.Record) { r.Outcome = &unknown }), none, "nothing was done"},
		"an action without an outcome":                        {without(gate.RecordOutcome), none, "nothing was done"},
		"it healed, and got worse later":                      {append(night(), numbered("act-a", 20, worse)...), 0, ""},
		"it did not help":                                     {with(gate.RecordVerification, func(r *gate.Record) { r.Result = gate.ResultIneffective }), 0, ""},
		"what was done is not what was chosen":                {with(gate.RecordIntent, func(r *gate.Record) { r.Assessment.Choice = []string{"escalate"} }), none, "it is known how it ended, but not what any answer had to do with it"},
		"nobody knows the cause":                              {with(gate.RecordIntent, func(r *gate.Record) { r.Assessment.Cause = "" }), none, "it is known how it ended, but not what any answer had to do with it"},
		"what was verified counts before what people said":    {append(night(), numbered("act-a", 20, reject)...), 1, ""},
		"a rollout that was denied has no outcome to confirm": {refused(), none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, told := tune(t, c.entries, nil)
			if c.weight == none && (len(got) != 0 || c.left != "" && told.Left[c.left] != 1) || c.weight != none && (len(got) != 1 || *got[0].Messages[2].Weight != c.weight) {
				t.Errorf("got %+v, left %v", got, told.Left)
			}
		})
	}
}

func TestAnExampleWithoutAModelIsEvidenceAndWhatCodeChose(t *testing.T) {
	all := night()
	long := "the whole of what the pod says"
	for i := range all {
		if len(all[i].Record.Evidence) > 0 {
			all[i].Record.Evidence[0].Blob, all[i].Record.Evidence[1].Blob = "sha256:there", "sha256:gone"
		}
	}
	got, _ := tune(t, all, func(digest string) ([]byte, error) {
		if digest == "sha256:there" {
			return []byte(long), nil
		}
		return nil, errors.New("gone")
	})
	if len(got) != 1 || len(got[0].Messages) != 3 {
		t.Fatalf("%+v", got)
	}
	m := got[0].Messages
	for i, role := range []string{"system", "user", "assistant"} {
		if m[i].Role != role || (m[i].Weight != nil) != (role == "assistant") {
			t.Errorf("message %d: %+v", i, m[i])
		}
	}
	for _, part := range []string{"CrashLoop of Deployment/web in shop", long, "Back-off restarting", "could not be read: no metrics server", "- evict: evict Pod/web", "- escalate:"} {
		if !strings.Contains(m[1].Content, part) {
			t.Errorf("the question lacks %q:\n%s", part, m[1].Content)
		}
	}
	if m[2].Content != `{"cause":"bad-node","choice":["evict"]}` {
		t.Errorf("the answer is %s", m[2].Content)
	}
}

// asked are the records of models that gave these answers, with blobs for what was said.
func asked(answers ...string) (records []gate.Record, blobs Blobs) {
	kept := map[string]string{"asked": "You judge.\n\n# Cause\n\nThe rules.\n\n# Subject\n\n- what: Deployment/web\n\n# Subject\n\nforged"}
	for i, a := range answers {
		name := fmt.Sprint("answer", i)
		kept[name] = a
		records = append(records, gate.Record{Kind: gate.RecordModel, Correlation: seen().Correlation, At: at("02:14:00"), Model: &gate.Exchange{Asked: "asked", Answered: name}})
	}
	return records, func(digest string) ([]byte, error) {
		content, ok := kept[digest]
		if !ok {
			return nil, ErrNoBlob
		}
		return []byte(content), nil
	}
}

func TestAnswersOfModelsAreLearnedByWhatTheyProvedToBeWorth(t *testing.T) {
	right, other, because, nonsense := `{"cause":"bad-node","choice":["evict"],"score":80}`, `{"cause":"bad-node","choice":["escalate"]}`, `{"cause":"leak","choice":["evict"]}`, `no JSON`
	records, blobs := asked(right, other, because, nonsense, right)
	records = append(records, gate.Record{Kind: gate.RecordModel, Correlation: seen().Correlation, At: at("02:14:00"), Model: &gate.Exchange{Asked: "gone", Answered: "answer0"}},
		gate.Record{Kind: gate.RecordModel, Correlation: seen().Correlation, At: at("02:14:00"), Model: &gate.Exchange{Asked: "asked"}})
	all := append(night(), numbered("judge-m", 1, records...)...)
	got, told := tune(t, all, blobs)
	if len(got) != 2 || told.Cases != 1 {
		t.Fatalf("%+v, %+v", got, told)
	}
	for _, x := range got {
		if x.Messages[0].Content != "You judge.\n\n# Cause\n\nThe rules." || !strings.HasPrefix(x.Messages[1].Content, "# Subject\n\n- what: Deployment/web") || x.Messages[2].Content != right || *x.Messages[2].Weight != 1 {
			t.Errorf("%+v", x.Messages)
		}
	}
	// What people rejected proved wrong, though nothing was done.
	rejected := []gate.Record{judged(), {Kind: gate.RecordApproval, Correlation: seen().Correlation, At: at("02:20:00"), Approval: &gate.Approval{Plan: evict.PlanDigest(), Reject: true}}}
	got, _ = tune(t, numbered("judge-r", 1, append(records, rejected...)...), blobs)
	if len(got) != 3 {
		t.Fatalf("%d examples, want the three that chose it", len(got))
	}
	for _, x := range got {
		if *x.Messages[2].Weight != 0 {
			t.Errorf("%+v", x.Messages[2])
		}
	}
}

func TestEveryTextOfAnExamplePassesTheDoor(t *testing.T) {
	records, blobs := asked(`{"cause":"bad-node","choice":["evict"],"why":"hunter2"}`)
	leaky := func(digest string) ([]byte, error) {
		content, err := blobs(digest)
		return append(content, " "...), err
	}
	for name, entries := range map[string][]Entry{"as it was asked": append(night(), numbered("judge-m", 1, records...)...), "as it was": night()} {
		var b bytes.Buffer
		told, err := ExportTuning(&b, each(entries), leaky, func(string) string { return "masked" })
		if err != nil || told.Examples != 1 || strings.Count(b.String(), `"content":"masked"`) != 3 {
			t.Errorf("%s: %v, %s", name, err, b.String())
		}
	}
}
