package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// copyOf is a log as it stands now, with everything beside it.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := logDir(t)
	if err := errors.Join(os.CopyFS(to, os.DirFS(dir)), os.Chmod(to, 0o700)); err != nil {
		t.Fatal(err)
	}
	return to
}

// grown is a log of 20 records as it was with 10, as it is, and what was remembered outside of it then.
func grown(t *testing.T) (old, dir string, anchor Anchor) {
	t.Helper()
	dir = logDir(t)
	for round := range 2 {
		l := mustOpen(t, dir, Options{SegmentBytes: 3000})
		for i := range 10 {
			mustAppend(t, l, intent(10*round+i))
		}
		mustClose(t, l)
		if round == 0 {
			old = copyOf(t, dir)
		}
		anchor = Anchor{Checkpoint: l.Checkpoint(), Keys: []string{l.VerifierKey()}}
	}
	return old, dir, anchor
}

func put(t *testing.T, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rewritten is the log of dir with another text in one record, and everything made anew after it: what somebody can do who knows
// the format and can write all files, with or without the key.
func rewritten(t *testing.T, dir string, sequence int, key bool) string {
	t.Helper()
	to := logDir(t)
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	names := []string{keysName}
	if key {
		names = append(names, keyName)
	}
	put(t, dir, to, names...)
	l := mustOpen(t, to, Options{SegmentBytes: 3000})
	for i, e := range mustRead(t, dir) {
		if i+1 == sequence {
			e.Record.Text = "nothing happened"
		}
		mustAppend(t, l, e.Record)
	}
	mustClose(t, l)
	return to
}

// TestVerifyNamesWhatWasDone inflicts what the issue of an audit log is there for, and more, and reads what Verify says.
func TestVerifyNamesWhatWasDone(t *testing.T) {
	for name, c := range map[string]struct {
		inflict  func(t *testing.T, old, dir string) string // returns the directory to look at
		anchored bool                                       // it takes what is remembered outside to see it
		want     []string
	}{
		"a byte flipped": {func(t *testing.T, _, dir string) string { flip(t, files(t, dir, ".jsonl")[1], 0); return dir }, false,
			[]string{"(record 5)", "does not match its own hash", "changed after it was written"}},
		"a record dropped": {func(t *testing.T, _, dir string) string {
			s := files(t, dir, ".jsonl")[1]
			rewrite(t, s, slices.Delete(lines(t, s), 1, 2)...)
			return dir
		}, false, []string{"(record 6)", "record 7 follows record 5", "1 missing or out of order"}},
		"two records reordered": {func(t *testing.T, _, dir string) string {
			s := files(t, dir, ".jsonl")[1]
			ll := lines(t, s)
			ll[0], ll[1] = ll[1], ll[0]
			rewrite(t, s, ll...)
			return dir
		}, false, []string{"(record 5)", "record 6 follows record 4", "out of order"}},
		"the tail cut off": {func(t *testing.T, _, dir string) string {
			s := files(t, dir, ".jsonl")
			last := s[len(s)-1]
			rewrite(t, last, lines(t, last)[:1]...)
			return dir
		}, false, []string{"the log ends with record 17", "record 20", "cut off"}},
		"the tail cut off and the mark removed": {func(t *testing.T, _, dir string) string {
			s := files(t, dir, ".jsonl")
			last := s[len(s)-1]
			rewrite(t, last, lines(t, last)[:1]...)
			os.Remove(filepath.Join(dir, markName))
			return dir
		}, false, []string{"the log ends with record 17", "counted by the log's own file \"checkpoint\"", "cut off"}},
		"an old checkpoint put back": {func(t *testing.T, old, dir string) string { put(t, old, dir, checkpointName); return dir }, false,
			[]string{"/checkpoint", "counts 10 records", "before the newest segment was begun", "an old checkpoint was put back"}},
		"the whole old log put back": {func(t *testing.T, old, _ string) string { return old }, true,
			[]string{"the log ends with record 10", "record 20", "counted by a checkpoint of 2026-11-23 12:00:00 UTC that is remembered elsewhere", "an old copy of the log was put back"}},
		"a record rewritten with all that follows, without the key": {func(t *testing.T, _, dir string) string { return rewritten(t, dir, 5, false) }, true,
			[]string{"(record 20)", "the log was rewritten at this record or before it"}},
		"a record rewritten with all that follows, with the key": {func(t *testing.T, _, dir string) string { return rewritten(t, dir, 5, true) }, true,
			[]string{"(record 20)", "the log was rewritten at this record or before it"}},
		"a forged checkpoint": {func(t *testing.T, _, dir string) string {
			at := filepath.Join(dir, checkpointName)
			b, err := os.ReadFile(at)
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile(at, bytes.Replace(b, []byte("\n20\n"), []byte("\n19\n"), 1), 0o600)
			return dir
		}, false, []string{"/checkpoint", "signature"}},
		"a checkpoint signed by somebody else": {func(t *testing.T, _, dir string) string {
			put(t, rewritten(t, dir, 5, false), dir, checkpointName)
			return dir
		}, false, []string{"/checkpoint", "none of the keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			old, dir, anchor := grown(t)
			if _, err := Verify(dir, anchor); err != nil {
				t.Fatal(err)
			}
			dir = c.inflict(t, old, dir)
			err := verifyError(dir, anchor)
			if !c.anchored {
				err = verifyError(dir)
			} else if plain := verifyError(dir); plain != nil {
				t.Errorf("seen without what is remembered outside: %v", plain)
			}
			wantError(t, err, c.want...)
			if strings.Contains(err.Error(), "power cut") {
				t.Errorf("it is excused: %v", err)
			}
			var d *Damage
			if !errors.As(err, &d) {
				t.Errorf("no Damage: %#v", err)
			}
		})
	}
}

func TestVerifyHoldsTheLogAgainstEveryCheckpoint(t *testing.T) {
	dir, key, signed := kept(t, 9)
	var anchors []Anchor
	for _, s := range signed {
		anchors = append(anchors, Anchor{Checkpoint: s, Keys: []string{key}})
	}
	report, err := Verify(dir, anchors...)
	if err != nil || report.Records != 9 || report.Checkpoint.Size != 9 || report.Root != report.Checkpoint.Root || report.Head != mustRead(t, dir)[8].Hash {
		t.Errorf("%+v, %v", report, err)
	}
	other, otherKey, others := kept(t, 9)
	wantError(t, verifyError(dir, Anchor{Checkpoint: others[2], Keys: []string{otherKey}}), "(record 3)", "this is log "+report.Log)
	wantError(t, verifyError(dir, Anchor{Checkpoint: others[2]}), "cannot be believed", "none of the keys")
	wantError(t, verifyError(other, Anchor{Checkpoint: signed[2], Keys: []string{key}}), "this is log")
}

func TestALogOfBeforeCheckpointsIsSoundAndSaysSo(t *testing.T) {
	dir := written(t, 20)
	for _, name := range []string{checkpointName, keyName, keysName, treeName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Verify(dir)
	if err != nil || !strings.Contains(findings(report), "no checkpoint of its own") {
		t.Errorf("%v, %s", err, findings(report))
	}
	l := mustOpen(t, dir, Options{})
	mustClose(t, l)
	report, err = Verify(dir, Anchor{Checkpoint: l.Checkpoint(), Keys: []string{l.VerifierKey()}})
	if err != nil || report.Checkpoint.Size != 20 || strings.Contains(findings(report), "checkpoint") {
		t.Errorf("%v, %+v", err, report)
	}
}

// A checkpoint that cannot be believed must not hide which record is bad.
func TestABadRecordIsNamedBeforeABadCheckpoint(t *testing.T) {
	_, dir, _ := grown(t)
	flip(t, files(t, dir, ".jsonl")[1], 0)
	if err := os.WriteFile(filepath.Join(dir, checkpointName), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, verifyError(dir, Anchor{Checkpoint: []byte("hello")}), "(record 5)", "does not match its own hash")
}
