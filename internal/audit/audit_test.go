package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

var _ flow.Log = (*Log)(nil)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

var subject = gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u-1"}

func intent(n int) gate.Record {
	a := gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: subject, Base: fmt.Sprint(n)}
	return gate.Record{Kind: gate.RecordIntent, Correlation: fmt.Sprintf("shop/case-%d", n), Action: &a, Digest: a.PlanDigest(),
		Signal: &gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Subject: subject, Key: "k"}, Text: fmt.Sprintf("intent %d <&>", n)}
}

func outcome(n int) gate.Record {
	r, done := intent(n), gate.OutcomeDone
	r.Kind, r.Outcome = gate.RecordOutcome, &done
	return r
}

func verdict(text string) gate.Record {
	return gate.Record{Kind: gate.RecordVerdict, Verdict: &gate.Verdict{}, Text: text}
}

func logDir(t testing.TB) string { return filepath.Join(t.TempDir(), "audit") }

func mustOpen(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	if o.Now == nil {
		o.Now = noon
	}
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustAppend(t testing.TB, l *Log, records ...gate.Record) {
	t.Helper()
	for _, r := range records {
		if _, err := l.Append(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t testing.TB, dir string) []Entry {
	t.Helper()
	var all []Entry
	for e, err := range Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// written makes a closed log of n intents in several segments and returns its directory.
func written(t testing.TB, n int) string {
	t.Helper()
	dir := logDir(t)
	l := mustOpen(t, dir, Options{SegmentBytes: 3000})
	for i := range n {
		mustAppend(t, l, intent(i+1))
	}
	mustClose(t, l)
	return dir
}

func files(t testing.TB, dir, suffix string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func lines(t testing.TB, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.SplitAfter(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
}

func rewrite(t testing.TB, file string, ll ...[]byte) {
	t.Helper()
	all := bytes.Join(ll, nil)
	if !bytes.HasSuffix(all, []byte("\n")) {
		all = append(all, '\n')
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error lacks %q:\n%v", p, err)
		}
	}
}

func verifyError(dir string, anchors ...Anchor) error {
	_, err := Verify(dir, anchors...)
	return err
}
