package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// written is a folder with a log of n notes.
func written(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "audit")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	log, err := audit.Open(dir, audit.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := log.Append(t.Context(), gate.Record{Kind: gate.RecordNote, Text: strings.Repeat("x", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAuditTail(t *testing.T) {
	dir := written(t, 30)
	code, out, errs := run("audit", "tail", "--dir", dir, "-n", "3")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 3 || !strings.Contains(lines[2], strings.Repeat("x", 30)) {
		t.Errorf("exit code %d, want the last 3 records:\n%s%s", code, out, errs)
	}
	code, out, _ = run("audit", "tail", "--dir", dir, "-n", "100", "-o", "json")
	d := json.NewDecoder(strings.NewReader(out))
	n := 0
	for ; d.More(); n++ {
		var e audit.Entry
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
	}
	if code != 0 || n != 30 {
		t.Errorf("exit code %d with %d records, want 30", code, n)
	}
}

func TestAuditVerify(t *testing.T) {
	dir := written(t, 5)
	if code, out, errs := run("audit", "verify", "--dir", dir); code != 0 || !strings.Contains(out, "ok: ") {
		t.Errorf("a sound log: exit code %d:\n%s%s", code, out, errs)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range segments {
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte("xxx")) {
			continue
		}
		if err := os.WriteFile(path, bytes.Replace(content, []byte("xxx"), []byte("xyx"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := run("audit", "verify", "--dir", dir); code != exitDenied || !strings.Contains(out, "DAMAGED") {
		t.Errorf("a log with a changed byte: exit code %d:\n%s%s", code, out, errs)
	}
}

func TestAuditWithoutALog(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	for _, command := range []string{"tail", "verify"} {
		if code, out, errs := run("audit", command, "--dir", missing); code != exitFailed || !strings.Contains(errs, missing) {
			t.Errorf("audit %s: exit code %d, should name %s:\n%s%s", command, code, missing, out, errs)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestAnIntentWithoutAnOutcomeIsToldOnceAndNeverTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	crashed, err := audit.Open(dir, audit.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	plan := gate.Action{ID: "annotate", Verb: "annotate", Target: gate.Ref{Kind: "Deployment", Name: "web"}}
	if _, err := crashed.Append(t.Context(), gate.Record{Kind: gate.RecordIntent, Correlation: "shop/c", Action: &plan, Digest: plan.PlanDigest()}); err != nil {
		t.Fatal(err)
	}
	if err := crashed.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l, err := openLog(t.Context(), dir, audit.Options{Now: time.Now}, quiet())
		if err != nil {
			t.Fatal(err)
		}
		if left := l.log.Unresolved(); len(left) != 0 {
			t.Errorf("intents without an outcome are left: %v", left)
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, out, _ := run("audit", "tail", "--dir", dir); strings.Count(out, "outcome unknown") != 1 {
		t.Errorf("want one unknown outcome:\n%s", out)
	}
}

// TestABrokenLogIsOpenedAnew breaks the log by taking its folder away under it, and gives it back.
func TestABrokenLogIsOpenedAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l, err := openLog(t.Context(), dir, audit.Options{Now: time.Now, SegmentBytes: 1}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	note := gate.Record{Kind: gate.RecordIntent, Text: "x"}
	if _, err := l.Append(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), note); err == nil {
		t.Fatal("a segment was begun in a folder that is not there")
	}
	<-l.log.Broken()
	ctx, stop := context.WithCancel(t.Context())
	mended := make(chan error, 1)
	go func() { mended <- l.run(ctx) }()
	eventually(t, "nothing is written while it is broken", func() bool { return l.state(ctx) != nil })
	if _, err := l.Append(t.Context(), note); err == nil {
		t.Error("a broken log takes a record")
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is written again", func() bool { return l.state(ctx) == nil })
	if _, err := l.Append(t.Context(), note); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-mended; err != nil {
		t.Error(err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if _, err := audit.Verify(dir); err != nil {
		t.Error(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
