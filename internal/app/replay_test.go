package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/policies"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file, which a human read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -run %s -update writes it anew):\n%s", path, t.Name(), got)
	}
}

// past writes what was decided into a log, at times of its own.
type past struct {
	t   testing.TB
	log *audit.Log
	now time.Time
	dir string
}

func newPast(t testing.TB, name string) *past {
	t.Helper()
	p := &past{t: t, dir: filepath.Join(t.TempDir(), name), now: time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)}
	var err error
	if p.log, err = audit.Open(p.dir, audit.Options{Now: func() time.Time { return p.now }, Name: name}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *past) close() string {
	p.t.Helper()
	if err := p.log.Close(); err != nil {
		p.t.Fatal(err)
	}
	return p.dir
}

func (p *past) judge(q flow.Question, policy gate.Policy, a gate.Assessment) {
	p.t.Helper()
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return a })
	if _, err := flow.Judge(context.Background(), p.log, q, policy, said); err != nil {
		p.t.Fatal(err)
	}
}

func workloadIn(namespace, name string) gate.Ref {
	return gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: name, UID: "uid-" + name}
}

// asked is a question about a workload, with all that is known of it but how it came about.
func (p *past) asked(face gate.Face, reason string, ref gate.Ref, menu ...gate.Action) flow.Question {
	s := gate.Signal{Face: face, Reason: reason, Subject: ref, Key: reason, At: p.now}
	return flow.Question{Signal: s, Case: cluster.CaseRef(s), Facts: gate.Facts{At: p.now, Subject: ref, Menu: menu, Paused: gate.Known[[]string](nil),
		Namespace: gate.Known(map[string]string{"kubernetes.io/metadata.name": ref.Namespace, "env": map[bool]string{true: "production", false: "staging"}[ref.Namespace == "shop"]}),
		Rollback:  gate.Known(false), Failing: gate.Known(false), Since: gate.Known(p.now.Add(-5 * time.Minute)), Oldest: gate.Known(p.now.Add(-time.Second)),
		Owner: gate.Known(gate.Owner{}), Health: gate.Known(gate.Share{Well: 19, Total: 20}), Storm: gate.Known(1), Ledger: gate.Known(gate.Ledger{}),
		History: gate.Known(gate.Tally{Cause: "OOMKilled", Verb: "evict", Tried: 90, Healed: 88}), Approvals: gate.Known[[]gate.Approval](nil)}}
}

// crash is a pod that crash-loops, and the wish to evict it.
func (p *past) crash(ref gate.Ref, policy gate.Policy) {
	pod := gate.Ref{Version: "v1", Kind: "Pod", Namespace: ref.Namespace, Name: ref.Name + "-7d9f-x2x", UID: "uid-pod"}
	q := p.asked(gate.FaceRemediate, "CrashLoop", ref, gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: pod, Workload: ref,
		Text: "evict the pod", Undo: "its ReplicaSet makes another"}, gate.Action{ID: "tell", Verb: "escalate", Reach: gate.ReachNothing, Target: ref})
	p.judge(q, policy, gate.Assessment{Advisor: "causes", Cause: "OOMKilled", Score: gate.Known(85), Confidence: gate.Known(90), Agreement: gate.Known(100), Choice: []string{"evict"}})
}

// rollout is a rollout that asks to be let in.
func (p *past) rollout(ref gate.Ref, policy gate.Policy, score int, findings ...gate.Finding) {
	q := p.asked(gate.FaceWebhook, "Rollout", ref, gate.Action{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer, Target: ref})
	p.judge(q, policy, gate.Assessment{Advisor: "checks", Score: gate.Known(score), Confidence: gate.Known(95), Findings: findings, Choice: []string{"admit"}})
}

// week is a week of mode Observe in two namespaces.
func week(t testing.TB) string {
	p := newPast(t, "judge")
	observe := cluster.Default()
	for range 7 {
		for range 4 {
			p.now = p.now.Add(40 * time.Minute)
			p.crash(workloadIn("stage", "worker"), observe)
			p.now = p.now.Add(20 * time.Minute)
			p.rollout(workloadIn("shop", "web"), observe, 95)
		}
		p.rollout(workloadIn("shop", "cart"), observe, 65, gate.Finding{ID: "image-tag", Text: "the image tag is latest", Points: 35})
		p.now = p.now.Add(20 * time.Hour)
	}
	p.crash(workloadIn("shop", "web"), observe)
	return p.close()
}

const nextStep = `apiVersion: moorgate.dev/v1alpha1
kind: Guardrail
metadata:
  name: production
spec:
  namespaceSelector:
    matchLabels:
      env: production
  mode: Approve
  admission:
    mode: Enforce
  thresholds:
    denyBelow: 70
  actions:
  - verb: evict
---
apiVersion: moorgate.dev/v1alpha1
kind: Guardrail
metadata:
  name: staging
spec:
  namespaceSelector:
    matchLabels:
      env: staging
  mode: Automatic
  actions:
  - verb: evict
`

// file writes a file for a test.
func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayJudgesAWeekOfObserveBeforeTheNextStep(t *testing.T) {
	dir, policy := week(t), file(t, "next.yaml", nextStep)
	code, out, errs := run("replay", "--dir", dir, "--policy", policy)
	if code != exitOK || errs != "" {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	golden(t, "replay.txt", out)
	if code, _, _ := run("replay", "--dir", dir, "--policy", policy, "--fail-on-more"); code != exitDenied {
		t.Errorf("exit code %d, though more would be done", code)
	}
}

func TestReplayWithoutAPolicyChecksThatAllComesOutAsRecorded(t *testing.T) {
	dir := week(t)
	code, out, errs := run("replay", "--dir", dir)
	if code != exitOK || !strings.Contains(out, "ok: 64 decisions came out as recorded.") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	p := newPast(t, "other")
	q := p.asked(gate.FaceRemediate, "CrashLoop", workloadIn("shop", "web"))
	v := gate.Verdict{Decision: gate.Allow}
	policy := cluster.Default()
	a := gate.Assessment{Silent: "nobody looked"}
	if _, err := p.log.Append(t.Context(), gate.Record{Kind: gate.RecordVerdict, Correlation: q.Case, Signal: &q.Signal, Facts: &q.Facts, Assessment: &a, Policy: &policy, Verdict: &v}); err != nil {
		t.Fatal(err)
	}
	code, out, errs = run("replay", "--dir", dir, "--dir", p.close())
	if code != exitDenied || !strings.Contains(out, "DIFFERENT: 1 decision") || !strings.Contains(out, "rule silence") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestReplayAsJSON(t *testing.T) {
	code, out, errs := run("replay", "--dir", week(t), "--policy", file(t, "next.yaml", nextStep), "-o", "json", "--since", "2026-11-17")
	var got replayJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if got.Records != 64 || got.Decisions >= 64 || len(got.Changes) == 0 || got.Endings[flow.AreaRollout][flow.Refused].After == 0 {
		t.Errorf("%+v", got)
	}
}

func TestReplayNeedsTheNamespaceWhereTheGuardrailsSelectByIt(t *testing.T) {
	p := newPast(t, "old")
	q := p.asked(gate.FaceWebhook, "Rollout", workloadIn("shop", "web"), gate.Action{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer})
	q.Facts.Namespace = gate.Fact[map[string]string]{}
	p.judge(q, cluster.Default(), gate.Assessment{Score: gate.Known(60), Confidence: gate.Known(95), Choice: []string{"admit"}})
	dir, policy := p.close(), file(t, "next.yaml", nextStep)
	code, out, _ := run("replay", "--dir", dir, "--policy", policy)
	if code != exitOK || !strings.Contains(out, "1 decision could not be decided again: the labels of namespace shop are not known") || !strings.Contains(out, "Records old-") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, _, _ = run("replay", "--dir", dir, "--policy", policy, "--fail-on-more"); code != exitFailed {
		t.Errorf("exit code %d where nobody can say", code)
	}
	namespaces := file(t, "namespaces.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: shop\n    labels:\n      env: production\n")
	code, out, errs := run("replay", "--dir", dir, "--policy", policy, "--namespaces", namespaces)
	if code != exitOK || !strings.Contains(out, "let in -> refused") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	byName := file(t, "by-name.yaml", "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata:\n  name: shop\nspec:\n  namespaceSelector:\n    matchLabels:\n      kubernetes.io/metadata.name: shop\n  admission:\n    mode: Warn\n")
	code, out, errs = run("replay", "--dir", dir, "--policy", byName)
	if code != exitOK || !strings.Contains(out, "let in -> let in with a warning") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestReplaySaysWhatIsWrong(t *testing.T) {
	dir, policy := week(t), file(t, "next.yaml", nextStep)
	missing := filepath.Join(t.TempDir(), "none")
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no log", []string{"--dir", missing}, missing},
		{"the same log twice", []string{"--dir", dir, "--dir", dir}, "name each log once"},
		{"no policy file", []string{"--dir", dir, "--policy", missing}, missing},
		{"an unknown field", []string{"--dir", dir, "--policy", file(t, "bad.yaml", strings.Replace(nextStep, "mode: Approve", "modus: Approve", 1))}, "bad.yaml:9: spec.modus"},
		{"two of the same name", []string{"--dir", dir, "--policy", policy, "--policy", policy}, "hold a Guardrail production"},
		{"an empty file", []string{"--dir", dir, "--policy", file(t, "empty.yaml", "---\n")}, "no Guardrail in"},
		{"more than what", []string{"--dir", dir, "--fail-on-more"}, "--policy"},
		{"since when", []string{"--dir", dir, "--since", "yesterday"}, "--since"},
		{"nothing since", []string{"--dir", dir, "--since", "2999-01-01"}, "no decision"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if code, out, errs := run(append([]string{"replay"}, tt.args...)...); code != exitFailed || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, want an error with %q:\n%s%s", code, tt.want, out, errs)
			}
		})
	}
}

func TestReplayCountsDamageAndGoesOn(t *testing.T) {
	dir := week(t)
	segments, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	content, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(segments[0], []byte(strings.Replace(string(content), "the image tag is latest", "the image tag is newest", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := run("replay", "--dir", dir)
	if code != exitFailed || !strings.Contains(out, "63 decisions came out") || !strings.Contains(out, "Left out 1 record that cannot be trusted") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

func TestAReplayThatIsInterruptedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := newReplay()
	var out strings.Builder
	cmd.SetOut(&out)
	r := &replayer{}
	err := r.run(ctx, audit.Read(week(t)), func(n int) {
		if n == 10 {
			cancel()
		}
	})
	if err == nil {
		t.Fatal("nobody interrupted it")
	}
	if err := r.print(&out, replayOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "PARTIAL: interrupted after 10 records") || !errors.Is(r.code(false), exit(exitFailed)) {
		t.Errorf("code %v\n%s", r.code(false), out.String())
	}
}

func TestReplayFollowsFreezeWindowsThroughTheWeek(t *testing.T) {
	p := newPast(t, "judge")
	for range 24 { // an hour apart, from 08:00 on
		p.crash(workloadIn("stage", fmt.Sprint("worker-", p.now.Hour())), cluster.Default())
		p.now = p.now.Add(time.Hour)
	}
	frozen := nextStep + `  freeze:
  - reason: office hours
    schedule: "0 9 * * 1-5"
    duration: 8h
    timeZone: Europe/Berlin
`
	code, out, errs := run("replay", "--dir", p.close(), "--policy", file(t, "frozen.yaml", frozen), "-o", "json")
	var got replayJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	// From 08:00 to 16:00 UTC, the end not included.
	if s := got.Rules["freeze"]; s != (flow.Shift{After: 8}) {
		t.Errorf("frozen %+v of 24", s)
	}
}

// FuzzReplayPolicy shows that no file makes replay fall over: it is refused, or every decision is decided again or counted.
func FuzzReplayPolicy(f *testing.F) {
	f.Add([]byte(nextStep))
	f.Add([]byte(strings.Replace(nextStep, "Automatic", "Reckless", 1)))
	dir := week(f)
	var past []audit.Entry
	for e, err := range audit.Read(dir) {
		if err != nil {
			f.Fatal(err)
		}
		past = append(past, e)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		guardrails, err := policies.Parse("fuzz.yaml", content)
		if err != nil {
			return
		}
		r := &replayer{anew: true, guardrails: guardrails}
		err = r.run(t.Context(), func(yield func(audit.Entry, error) bool) {
			for _, e := range past {
				if !yield(e, nil) {
					return
				}
			}
		}, func(int) {})
		undecided := 0
		for _, n := range r.undecided {
			undecided += n.N
		}
		if err != nil || r.tally.Verdicts.Sum()+undecided != len(past) {
			t.Fatalf("%d of %d decisions, %v", r.tally.Verdicts.Sum(), len(past), err)
		}
		if err := r.print(io.Discard, replayOptions{all: true}); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	const n = 100_000
	p := newPast(b, "judge")
	observe := cluster.Default()
	for i := range n / 2 {
		p.now = p.now.Add(6 * time.Second)
		p.crash(workloadIn("stage", fmt.Sprint("worker-", i%500)), observe)
		p.rollout(workloadIn("shop", fmt.Sprint("web-", i%300)), observe, i%100, gate.Finding{ID: "image-tag", Text: "the image tag is latest", Points: 100 - i%100})
	}
	dir, policy := p.close(), file(b, "next.yaml", nextStep)
	for _, tt := range []struct {
		name string
		args []string
	}{{"as recorded", nil}, {"under other Guardrails", []string{"--policy", policy}}} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if code, _, errs := run(append([]string{"replay", "--dir", dir}, tt.args...)...); code != exitOK {
					b.Fatal(errs)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "decisions/s")
		})
	}
}
