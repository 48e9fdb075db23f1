package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

// beforeCut returns a log as it stands on the disk while its writer is at work: records 1 to 5 are on stable storage, and
// records 6 to 15 wait for their fsync.
func beforeCut(t *testing.T) string {
	t.Helper()
	at := logDir(t)
	l := mustOpen(t, at, Options{FlushEvery: time.Hour, Mode: Batch})
	for i := range 5 {
		mustAppend(t, l, intent(i))
	}
	for range 10 {
		mustAppend(t, l, verdict(strings.Repeat("v", 200)))
	}
	dir := logDir(t)
	if err := os.CopyFS(dir, os.DirFS(at)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// hole has a power cut take bytes of the only segment, from the middle of a record's line on, although what follows was
// written.
func hole(t *testing.T, dir string, record, size int) {
	t.Helper()
	file := segmentAt(dir, 1).path
	ll := lines(t, file)
	from := len(bytes.Join(ll[:record-1], nil)) + len(ll[record-1])/2
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, size), int64(from)); errors.Join(err, f.Close()) != nil {
		t.Fatal(err)
	}
}

func TestPowerCutLeavesALogThatOpens(t *testing.T) {
	for name, c := range map[string]struct {
		record, size int
		whole        string
	}{
		"a hole in one record":                     {8, 50, "7 whole records"},
		"a hole over the end of a record":          {8, 400, "6 whole records"},
		"a hole right after what was fsynced":      {6, 50, "9 whole records"},
		"a hole in the last record":                {15, 50, "0 whole records"},
		"a hole over most of what was not fsynced": {6, 3000, "whole records"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := beforeCut(t)
			hole(t, dir, c.record, c.size)
			before, err := os.ReadFile(segmentAt(dir, 1).path)
			if err != nil {
				t.Fatal(err)
			}
			wantError(t, verifyError(dir), "line ", "power cut")
			l, err := Open(dir, Options{Now: noon})
			if err != nil {
				t.Fatal(err)
			}
			mustAppend(t, l, intent(11))
			mustClose(t, l)
			all := mustRead(t, dir)
			if n := len(all); n != c.record+1 || all[n-2].Record.Kind != gate.RecordNote {
				t.Fatalf("%d records after opening: %+v", n, all[5:])
			}
			for _, part := range []string{c.whole, ".1.torn", "power cut"} {
				if note := all[len(all)-2].Record.Text; !strings.Contains(note, part) {
					t.Errorf("the note lacks %q: %s", part, note)
				}
			}
			kept, err := os.ReadFile(segmentAt(dir, 1).path + ".1.torn")
			if err != nil || !bytes.HasSuffix(before, kept) || !bytes.Contains(kept, []byte{0}) {
				t.Errorf("kept aside %d bytes: %v", len(kept), err)
			}
			if _, err := Verify(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// What was on stable storage is never moved aside, and where nobody knows how far that went, nothing is.
func TestDamageThatNoPowerCutExplains(t *testing.T) {
	mark := func(dir string) string { return filepath.Join(dir, "synced") }
	for name, c := range map[string]struct {
		inflict func(t *testing.T, dir string)
		want    string
	}{
		"a hole in the last record that was fsynced": {func(t *testing.T, dir string) { hole(t, dir, 5, 50) }, "keep the directory as evidence"},
		"a hole in the first record":                 {func(t *testing.T, dir string) { hole(t, dir, 1, 50) }, "keep the directory as evidence"},
		"a hole, and nobody knows what was fsynced":  {func(t *testing.T, dir string) { hole(t, dir, 8, 50); os.Remove(mark(dir)) }, "keep the directory as evidence"},
		"a hole, and what was fsynced is unreadable": {func(t *testing.T, dir string) { hole(t, dir, 8, 50); os.WriteFile(mark(dir), make([]byte, 60), 0o600) },
			"keep the directory as evidence"},
		"records cut off that were fsynced": {func(t *testing.T, dir string) {
			rewrite(t, segmentAt(dir, 1).path, lines(t, segmentAt(dir, 1).path)[:3]...)
		}, "record 5"},
		"half of a record that was fsynced": {func(t *testing.T, dir string) {
			at := len(bytes.Join(lines(t, segmentAt(dir, 1).path)[:5], nil)) - 20
			os.Truncate(segmentAt(dir, 1).path, int64(at))
		}, "record 5"},
		"the only segment taken out": {func(t *testing.T, dir string) { os.Remove(segmentAt(dir, 1).path) }, "record 5"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := beforeCut(t)
			c.inflict(t, dir)
			_, err := Open(dir, Options{Now: noon})
			wantError(t, err, c.want)
			if n := len(files(t, dir, ".torn")); n != 0 {
				t.Error("something was moved aside")
			}
			if _, err := Verify(dir); err == nil {
				t.Error("Verify finds nothing")
			}
		})
	}
}

// A checkpoint is fsynced, and the mark is not: after a power cut the checkpoint may know better what was on stable storage.
func TestACheckpointBoundsWhatAPowerCutExcuses(t *testing.T) {
	begin := func(t *testing.T) (dir string, signed []byte, key string) {
		at := logDir(t)
		l := mustOpen(t, at, Options{Mode: Batch})
		for i := range 5 {
			mustAppend(t, l, intent(i))
		}
		old, err := os.ReadFile(filepath.Join(at, markName))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			mustAppend(t, l, intent(5+i))
		}
		mustClose(t, l)
		l = mustOpen(t, at, Options{Mode: Batch, FlushEvery: time.Hour})
		mustAppend(t, l, verdict("one"), verdict("two"), verdict("three"))
		dir = copyOf(t, at)
		if err := os.WriteFile(filepath.Join(dir, markName), old, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir, l.Checkpoint(), l.VerifierKey()
	}
	dir, _, _ := begin(t)
	hole(t, dir, 8, 20)
	_, err := Open(dir, Options{Now: noon})
	wantError(t, err, "keep the directory as evidence")
	wantError(t, verifyError(dir), "(record 8)")

	dir, signed, key := begin(t)
	hole(t, dir, 12, 20)
	wantError(t, verifyError(dir), "power cut")
	l := mustOpen(t, dir, Options{})
	mustAppend(t, l, intent(20))
	mustClose(t, l)
	if _, err := Verify(dir, Anchor{Checkpoint: signed, Keys: []string{key}}); err != nil {
		t.Error(err)
	}
	older, err1 := ParseCheckpoint(signed, key)
	newer, err2 := ParseCheckpoint(l.Checkpoint(), l.VerifierKey())
	if _, err := ProveConsistency(dir, older, newer); errors.Join(err1, err2, err) != nil || older.Size != 10 || newer.Size != 13 {
		t.Errorf("from %d to %d: %v", older.Size, newer.Size, errors.Join(err1, err2, err))
	}
}

func TestAPowerCutBeforeTheFirstFsync(t *testing.T) {
	at, dir := logDir(t), logDir(t)
	l := mustOpen(t, at, Options{FlushEvery: time.Hour, Mode: Batch})
	mustAppend(t, l, verdict("one"), verdict("two"))
	if err := errors.Join(os.CopyFS(dir, os.DirFS(at)), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	hole(t, dir, 1, 20)
	again := mustOpen(t, dir, Options{})
	mustAppend(t, again, intent(1))
	if again.ID() != l.ID() {
		t.Errorf("the log changed its id from %s to %s", l.ID(), again.ID())
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

// A crash may come between the moving aside and the note about it.
func TestWhatWasMovedAsideIsTold(t *testing.T) {
	dir := written(t, 20)
	segs := files(t, dir, ".jsonl")
	untold := []string{segs[0] + ".1.torn", segs[len(segs)-1] + ".1.torn"}
	for _, file := range untold {
		if err := os.WriteFile(file, []byte("half a rec"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		mustClose(t, mustOpen(t, dir, Options{SegmentBytes: 1}))
		all := mustRead(t, dir)
		for _, file := range untold {
			notes := slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return !strings.Contains(e.Record.Text, filepath.Base(file)) })
			if len(notes) != 1 || notes[0].Record.Kind != gate.RecordNote || !strings.Contains(notes[0].Record.Text, "10 bytes") {
				t.Errorf("%d notes about %s: %+v", len(notes), filepath.Base(file), notes)
			}
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add([]byte("00000000000000000012 judge-1 00000000000000000012\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, markName), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := readMark(dir); err != nil || m.known && !bytes.Equal(m.line(), content) {
			t.Errorf("%q is read as %+v, %v", content, m, err)
		}
	})
}
