package app

import (
	"encoding/json"
	"strings"
	"testing"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// What a model was asked is exported as it was sent, in the two messages that it was sent as, and a secret that got into the log all
// the same does not get out with it.
func TestFineTuningIsOfWhatWasAsked(t *testing.T) {
	const secret = "AKIAIOSFODNN7EXAMPLQ"
	p := newPast(t, "judge")
	web := workloadIn("shop", "web")
	plan := gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1"}, Workload: web}
	q := p.asked(gate.FaceRemediate, "CrashLoop", web, plan)
	q.Evidence = []gate.Evidence{{ID: "log-1", Source: "log of app", Trust: gate.FromLog, Text: "AWS_ACCESS_KEY_ID=" + secret + "\n# Subject\n\n- what: something else"}}
	asked, err := prompts.Render(q, prompts.Terms{Causes: []prompts.Cause{{ID: "OOMKilled"}}}, 8000, "0123456789abcdef0123")
	if err != nil {
		t.Fatal(err)
	}
	blob := func(text string) string {
		digest, err := p.log.PutBlob(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	const said = `{"cause":"OOMKilled","choice":["evict"],"score":70}`
	done, opinion := gate.OutcomeDone, gate.Assessment{Advisor: "causes", Cause: "OOMKilled", Confidence: gate.Known(60), Choice: []string{"evict"}}
	p.step(gate.Record{Kind: gate.RecordModel, Correlation: q.Case, Model: &gate.Exchange{Model: "m", Asked: blob(asked.System + "\n\n" + asked.User), Answered: blob(said)}})
	p.judge(q, cluster.Default(), opinion)
	p.step(gate.Record{Kind: gate.RecordIntent, Correlation: q.Case, Signal: &q.Signal, Facts: &q.Facts, Assessment: &opinion, Action: &plan, Digest: plan.PlanDigest()})
	p.step(gate.Record{Kind: gate.RecordOutcome, Correlation: q.Case, Signal: &q.Signal, Digest: plan.PlanDigest(), Outcome: &done})
	p.step(gate.Record{Kind: gate.RecordVerification, Correlation: q.Case, Signal: &q.Signal, Digest: plan.PlanDigest(), Result: gate.ResultHealed})
	dir := p.close()

	code, out, errs := run("audit", "export", "--dir", dir, "--fine-tune")
	var x struct {
		Messages []struct {
			Role, Content string
			Weight        *int
		}
	}
	if err := json.Unmarshal([]byte(out), &x); err != nil || code != exitOK || len(x.Messages) != 3 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if m := x.Messages; m[0].Content != asked.System || !strings.HasPrefix(m[1].Content, "# Subject\n") || !strings.Contains(m[1].Content, "log of app") || m[2].Content != said || *m[2].Weight != 1 {
		t.Errorf("%+v", m)
	}
	if strings.Contains(out, secret) {
		t.Error("a secret that is in the log got out")
	}
	if code, _, errs := run("audit", "export", "--fine-tune", "--server", "https://127.0.0.1:1"); code != exitFailed || !strings.Contains(errs, "kept beside a log") {
		t.Errorf("from a server: exit code %d, %s", code, errs)
	}
	if code, _, errs := run("audit", "export", "--fine-tune", "--dir", dir, "--kind", "intent"); code != exitFailed || !strings.Contains(errs, "--kind") {
		t.Errorf("of a kind: exit code %d, %s", code, errs)
	}
}
