package app

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// step writes one record of a Case.
func (p *past) step(r gate.Record) {
	p.t.Helper()
	p.now = p.now.Add(time.Second)
	if _, err := p.log.Append(p.t.Context(), r); err != nil {
		p.t.Fatal(err)
	}
}

// eviction is a Case that judge decided on and act carried out, in their two logs.
func eviction(t *testing.T, result gate.Result) (judge, act, name string) {
	j, a := newPast(t, "judge"), newPast(t, "act")
	web := workloadIn("shop", "web")
	j.crash(web, cluster.Default())
	q := j.asked(gate.FaceRemediate, "CrashLoop", web)
	plan := gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "u"}, Workload: web}
	q.Facts.Menu = []gate.Action{plan}
	done := gate.OutcomeDone
	opinion := gate.Assessment{Advisor: "causes", Cause: "OOMKilled", Choice: []string{"evict"}}
	p := cluster.Default()
	a.now = j.now.Add(time.Minute)
	a.step(gate.Record{Kind: gate.RecordIntent, Correlation: q.Case, Signal: &q.Signal, Facts: &q.Facts, Assessment: &opinion, Policy: &p, Verdict: &gate.Verdict{Decision: gate.Allow}, Action: &plan, Digest: plan.PlanDigest()})
	a.step(gate.Record{Kind: gate.RecordOutcome, Correlation: q.Case, Signal: &q.Signal, Action: &plan, Digest: plan.PlanDigest(), Outcome: &done})
	a.step(gate.Record{Kind: gate.RecordVerification, Correlation: q.Case, Signal: &q.Signal, Result: result})
	j.now = a.now.Add(time.Minute)
	j.rollout(workloadIn("shop", "cart"), p, 95)
	return j.close(), a.close(), q.Case
}

func TestAuditTailJoinsLogsByTimeAndFilters(t *testing.T) {
	judge, act, name := eviction(t, gate.ResultHealed)
	lines := func(args ...string) []string {
		code, out, errs := run(append([]string{"audit", "tail", "--dir", judge, "--dir", act}, args...)...)
		if code != exitOK {
			t.Fatalf("exit code %d\n%s%s", code, out, errs)
		}
		if out == "" {
			return nil
		}
		return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	}
	all := lines()
	if len(all) != 5 || !strings.Contains(all[0], "verdict") || !strings.Contains(all[1], "intent") || !strings.Contains(all[4], "cart") {
		t.Errorf("want verdict, intent, outcome, verification, verdict:\n%s", strings.Join(all, "\n"))
	}
	if !strings.HasPrefix(all[0], "judge-") || !strings.HasPrefix(all[1], "act-") || strings.Contains(all[0], "\x1b") {
		t.Errorf("each names its log, without colours:\n%s", strings.Join(all, "\n"))
	}
	if got := lines("-n", "2"); len(got) != 2 || got[1] != all[4] {
		t.Errorf("-n 2: %q", got)
	}
	if got := lines("--case", name); len(got) != 4 {
		t.Errorf("--case: %q", got)
	}
	_, bare, _ := strings.Cut(name, "/")
	if got := lines("--case", bare, "--kind", "intent", "--kind", "outcome"); len(got) != 2 {
		t.Errorf("--case NAME --kind: %q", got)
	}
	if got := lines("--case", "shop/none"); len(got) != 0 {
		t.Errorf("another Case: %q", got)
	}
	if code, _, errs := run("audit", "tail", "--dir", judge, "--kind", "gossip"); code != exitFailed || !strings.Contains(errs, "verdict, model") {
		t.Errorf("an unknown kind: exit code %d, %s", code, errs)
	}
}

func TestAuditWhyTellsTheStoryOfACaseFromAllLogs(t *testing.T) {
	judge, act, name := eviction(t, gate.ResultHealed)
	_, bare, _ := strings.Cut(name, "/")
	for _, args := range [][]string{{name}, {bare}, {bare, "-n", "shop"}, {"case/" + bare}} {
		code, out, errs := run(append([]string{"audit", "why", "--dir", judge, "--dir", act}, args...)...)
		if code != exitOK || !strings.Contains(out, "evict") || !strings.Contains(out, "among the actions that") || strings.Contains(out, "cart") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	code, out, _ := run("audit", "why", "--dir", judge, "--dir", act, name, "-o", "json")
	d := json.NewDecoder(strings.NewReader(out))
	var kinds []gate.RecordKind
	for {
		var e audit.Entry
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Record.Kind)
	}
	if code != exitOK || len(kinds) != 4 || kinds[1] != gate.RecordIntent || kinds[3] != gate.RecordVerification {
		t.Errorf("exit code %d, kinds %v", code, kinds)
	}
}

func TestAuditWhySaysWhatTheLogsKnowInstead(t *testing.T) {
	judge, _, name := eviction(t, gate.ResultHealed)
	other := newPast(t, "other")
	q := other.asked(gate.FaceRemediate, "CrashLoop", workloadIn("stage", "web"))
	_, bare, _ := strings.Cut(name, "/")
	q.Case = "stage/" + bare
	other.judge(q, cluster.Default(), gate.Assessment{Silent: "nobody looked"})
	stage := other.close()
	empty := newPast(t, "empty").close()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"a slip of the pen", []string{"--dir", judge, strings.Replace(name, "web", "wed", 1)}, "the nearest names: " + name},
		{"only the workload", []string{"--dir", judge, "web"}, "the nearest names: " + name},
		{"how much was looked at", []string{"--dir", judge, "shop/none"}, "hold 2 records from 2026-11-16 08:00:00Z to"},
		{"the same name in two namespaces", []string{"--dir", judge, "--dir", stage, bare}, "in several namespaces: say which of " + name},
		{"two namespaces", []string{"--dir", judge, "shop/x", "-n", "stage"}, "-n says stage"},
		{"an empty log", []string{"--dir", empty, "x"}, "these logs are empty"},
		{"no Case", []string{"--dir", judge}, "accepts 1 arg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if code, out, errs := run(append([]string{"audit", "why"}, tt.args...)...); code != exitFailed || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, want %q\n%s%s", code, tt.want, out, errs)
			}
		})
	}
}

// cut takes the last line of a log away, and what the log says of itself.
func cut(t *testing.T, dir string, also ...string) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	last := segments[len(segments)-1]
	content, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	if err := os.WriteFile(last, bytes.Join(lines[:len(lines)-1], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range also {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuditVerifySaysWhatItProvesAndWhatNot(t *testing.T) {
	dir := written(t, 5)
	signed, err := audit.ReadCheckpoint(dir)
	if err != nil || signed == nil {
		t.Fatal(signed, err)
	}
	anchor := file(t, "checkpoint.txt", string(signed))
	keys, err := audit.VerifierKeys(dir)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	other := written(t, 2)
	foreign, err := audit.VerifierKeys(other)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   []string
		code   int
		want   string
		absent string
	}{
		{"without an anchor a cut tail cannot be seen", nil, exitOK, "NOT proved  that nobody who can write the folder cut off its end", "kept outside of the log hold"},
		{"without a key it does not know who signed", nil, exitOK, "NOT proved  who signed", ""},
		{"an anchor proves all up to it", []string{"--anchor", anchor}, exitOK, "none of the first 5 records was changed or taken away", "cut off its end"},
		{"a key proves who signed", []string{"--key", keys[0]}, exitOK, "signed by the key given", "who signed"},
		{"another's key", []string{"--key", foreign[0]}, exitDenied, "signed by none of the keys", ""},
		{"no key at all", []string{"--key", "secret"}, exitFailed, "is no verifier key", ""},
		{"no anchor at all", []string{"--anchor", file(t, "x", "hello\n")}, exitFailed, "holds no signed checkpoint", ""},
		{"an anchor that is not there", []string{"--anchor", filepath.Join(t.TempDir(), "none")}, exitFailed, "read an anchor", ""},
		{"as JSON", []string{"--anchor", anchor, "-o", "json"}, exitOK, `"notProved": [`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := run(append([]string{"audit", "verify", "--dir", dir}, tt.args...)...)
			if all := out + errs; code != tt.code || !strings.Contains(all, tt.want) || tt.absent != "" && strings.Contains(all, tt.absent) {
				t.Errorf("exit code %d, want %d, %q and no %q\n%s", code, tt.code, tt.want, tt.absent, all)
			}
		})
	}
	t.Run("several logs, each with its own anchors", func(t *testing.T) {
		code, out, errs := run("audit", "verify", "--dir", dir, "--dir", other, "--anchor", anchor)
		if code != exitOK || strings.Count(out, "ok: ") != 2 || strings.Count(out, "kept outside of the log hold") != 1 {
			t.Errorf("exit code %d\n%s%s", code, out, errs)
		}
		code, out, errs = run("audit", "verify", "--dir", other, "--dir", written(t, 1), "--anchor", anchor)
		if code != exitFailed || !strings.Contains(errs, "is a checkpoint of log") {
			t.Errorf("an anchor of neither: exit code %d\n%s%s", code, out, errs)
		}
	})
	t.Run("a tail that was cut off shows by the anchor only", func(t *testing.T) {
		cut(t, dir, "synced", "checkpoint")
		if code, out, _ := run("audit", "verify", "--dir", dir); code != exitOK || !strings.Contains(out, "4 records") {
			t.Errorf("without an anchor: exit code %d\n%s", code, out)
		}
		code, out, _ := run("audit", "verify", "--dir", dir, "--anchor", anchor)
		if code != exitDenied || !strings.Contains(out, "the first bad record is 5") {
			t.Errorf("with it: exit code %d\n%s", code, out)
		}
		code, out, _ = run("audit", "verify", "--dir", filepath.Join(t.TempDir(), "none"), "--dir", dir, "--anchor", anchor)
		if code != exitDenied {
			t.Errorf("damage weighs more than what cannot be said: exit code %d\n%s", code, out)
		}
	})
}

func TestAuditExport(t *testing.T) {
	judge, act, _ := eviction(t, gate.ResultHealed)
	_, worse, _ := eviction(t, gate.ResultIneffective)
	to := filepath.Join(t.TempDir(), "out.jsonl")
	if code, out, errs := run("audit", "export", "--dir", judge, "--dir", act, "-o", to); code != exitOK || out != "" {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	content, err := os.ReadFile(to)
	if err != nil || bytes.Count(content, []byte("\n")) != 5 {
		t.Errorf("%v, %d lines", err, bytes.Count(content, []byte("\n")))
	}
	if code, _, errs := run("audit", "export", "--dir", judge, "-o", to); code != exitFailed || !strings.Contains(errs, "exists") {
		t.Errorf("over a file that is there: exit code %d, %s", code, errs)
	}
	if _, out, _ := run("audit", "export", "--dir", judge, "--dir", act, "--kind", "outcome"); strings.Count(out, "\n") != 1 {
		t.Errorf("one kind:\n%s", out)
	}
	if _, out, _ := run("audit", "export", "--dir", judge, "--since", "2999-01-01"); out != "" {
		t.Errorf("nothing since:\n%s", out)
	}
	code, out, errs := run("audit", "export", "--dir", judge, "--dir", act, "--fine-tune")
	var pair struct {
		Messages []struct {
			Role, Content string
			Weight        *int
		}
	}
	if err := json.Unmarshal([]byte(out), &pair); err != nil || code != exitOK || len(pair.Messages) != 3 || !strings.Contains(pair.Messages[2].Content, "OOMKilled") || *pair.Messages[2].Weight != 1 {
		t.Errorf("a pair: exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if !strings.Contains(errs, "1 example of 1 Case written") {
		t.Errorf("on standard error:\n%s", errs)
	}
	code, out, errs = run("audit", "export", "--dir", judge, "--dir", worse, "--fine-tune")
	if code != exitOK || !strings.Contains(out, `"weight":0`) || strings.Contains(out, `"weight":1`) {
		t.Errorf("what did not heal: exit code %d\n%s%s", code, out, errs)
	}
}

func TestNearestNames(t *testing.T) {
	names := []string{"shop/remediate-web-aaaaaaaaaaaa", "shop/webhook-cart-bbbbbbbbbbbb", "stage/drift-web-cccccccccccc"}
	for want, name := range map[string]string{names[0]: "shop/remediate-wed-aaaaaaaaaaaa", names[1]: "cart", names[2]: "drift-web-ccccccccccc"} {
		if got := nearest(name, names); len(got) == 0 || got[0] != want {
			t.Errorf("nearest to %s: %v", name, got)
		}
	}
	if got := nearest("zzzzzzzz", names); len(got) != 0 {
		t.Errorf("nothing is like it: %v", got)
	}
}

func TestAuditTailFollowsSeveralLogs(t *testing.T) {
	judge, act := newPast(t, "judge"), newPast(t, "act")
	judge.step(gate.Record{Kind: gate.RecordNote, Text: "before"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &lockedBuffer{}
	o := tailOptions{logs: &logFlags{dirs: []string{judge.dir, act.dir}}, filter: filter{kinds: []string{"note"}}, follow: true, last: 5, output: "text"}
	done := make(chan error, 1)
	go func() { done <- o.run(ctx, out) }()
	eventually(t, "what was there before is told", func() bool { return strings.Contains(out.String(), "before") })
	act.step(gate.Record{Kind: gate.RecordNote, Text: "of act"})
	judge.step(gate.Record{Kind: gate.RecordApproval, Text: "not asked for"})
	judge.step(gate.Record{Kind: gate.RecordNote, Text: "of judge"})
	eventually(t, "both logs are followed", func() bool {
		return strings.Contains(out.String(), "of act") && strings.Contains(out.String(), "of judge")
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if strings.Contains(out.String(), "not asked for") || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("got\n%s", out.String())
	}
	judge.close()
	act.close()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAuditVerifyAsksTheClusterWhatItRemembers(t *testing.T) {
	c, api := installedOn(t)
	dir := written(t, 5)
	id := idOf(dir)
	signed, err := audit.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := audit.VerifierKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() (int, string) {
		code, out, errs := run("audit", "verify", "--dir", dir, "--anchors-from-cluster", "--kubeconfig", c.Kubeconfig())
		return code, out + errs
	}
	if code, out := verify(); code != exitOK || !strings.Contains(out, "the cluster remembers nothing of this log") {
		t.Errorf("before it is remembered: exit code %d\n%s", code, out)
	}
	anchors := cluster.Anchors{Client: api}
	if err := anchors.Set(t.Context(), id+keysSuffix, keys[0]+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := anchors.Set(t.Context(), id, string(signed)); err != nil {
		t.Fatal(err)
	}
	if code, out := verify(); code != exitOK || !strings.Contains(out, "none of the first 5 records was changed or taken away") {
		t.Errorf("once it is remembered: exit code %d\n%s", code, out)
	}
	cut(t, dir, "synced", "checkpoint")
	if code, out := verify(); code != exitDenied || !strings.Contains(out, "the first bad record is 5") {
		t.Errorf("once its tail was cut off: exit code %d\n%s", code, out)
	}
}

func TestAuditCommandsReadFromARunningMoorgate(t *testing.T) {
	judge, act, name := eviction(t, gate.ResultHealed)
	s := &auditServer{dir: judge, logger: quiet()}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		s.read(w, r)
	}))
	defer server.Close()
	ca := file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	from := []string{"--server", server.URL, "--server-ca", ca, "--token-file", file(t, "token", "sesame\n")}
	ask := func(args ...string) (int, string, string) { return run(append(args, from...)...) }
	if code, out, errs := ask("audit", "tail", "-n", "1"); code != exitOK || !strings.Contains(out, "cart") || strings.Count(out, "\n") != 1 {
		t.Errorf("tail: exit code %d\n%s%s", code, out, errs)
	}
	if code, out, errs := ask("audit", "why", name, "--dir", act); code != exitOK || !strings.Contains(out, "4 records in 2 logs") {
		t.Errorf("why, judge's log from the server and act's from its folder: exit code %d\n%s%s", code, out, errs)
	}
	if code, out, errs := ask("audit", "export"); code != exitOK || strings.Count(out, "\n") != 2 {
		t.Errorf("export: exit code %d\n%s%s", code, out, errs)
	}
	if code, out, errs := ask("replay"); code != exitOK || !strings.Contains(out, "2 decisions came out as recorded") {
		t.Errorf("replay: exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs := ask("audit", "verify"); code != exitFailed || !strings.Contains(errs, "copy the folder") {
		t.Errorf("verify: exit code %d\n%s", code, errs)
	}
	if code, _, errs := ask("audit", "tail", "-f"); code != exitFailed || !strings.Contains(errs, "--server does not go with this") {
		t.Errorf("tail -f: exit code %d\n%s", code, errs)
	}
	from[5] = file(t, "wrong", "guess")
	if code, _, errs := ask("audit", "tail"); code != exitFailed || !strings.Contains(errs, "who are you?") {
		t.Errorf("another's token: exit code %d\n%s", code, errs)
	}
}
