package flow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestARecordIsNeverTooLargeToBeWritten(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	q := question()
	q.Signal.Text, q.Signal.Key = long, long
	a := gate.Assessment{Score: gate.Known(0), Confidence: gate.Known(1), Choice: []string{"evict"}}
	for i := range 5000 {
		q.Evidence = append(q.Evidence, gate.Evidence{ID: fmt.Sprint(i), Source: long, Unread: long})
		q.Facts.Unread = append(q.Facts.Unread, long)
		a.Findings = append(a.Findings, gate.Finding{ID: "x", Text: long, Points: i % 50})
	}
	a.Findings[4000].Hard = true
	j := Judgement{Question: q, Policy: policy(gate.Observe), Assessment: a, Verdict: gate.Decide(policy(gate.Observe), a, q.Facts)}
	r := j.record()
	b, err := json.Marshal(r)
	if err != nil || len(b) > 900<<10 {
		t.Fatalf("the record has %d bytes (%v)", len(b), err)
	}
	if !r.Assessment.Findings[0].Hard || !strings.Contains(r.Text, "shortened: ") {
		t.Errorf("the hard finding comes first: %t; text %q", r.Assessment.Findings[0].Hard, r.Text)
	}
	if len(j.Assessment.Findings) != 5000 || len(j.Question.Evidence[0].Unread) != len(long) {
		t.Error("the judgement itself was shortened")
	}
}
