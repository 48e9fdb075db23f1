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

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		options Options
		want    string
	}{
		"options without a clock":       {want: "no clock"},
		"a negative size":               {options: Options{Now: noon, SegmentBytes: -1}, want: "negative"},
		"a negative time":               {options: Options{Now: noon, FlushEvery: -time.Second}, want: "negative"},
		"a name that needs escaping":    {options: Options{Now: noon, Name: `a"b`}, want: "lower-case"},
		"a directory open to everybody": {func(t *testing.T, dir string) { os.Mkdir(dir, 0o700); os.Chmod(dir, 0o755) }, Options{Now: noon}, "open to everybody"},
		"a file":                        {func(t *testing.T, dir string) { os.WriteFile(dir, nil, 0o600) }, Options{Now: noon}, "a log is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := logDir(t)
			if c.prepare != nil {
				c.prepare(t, dir)
			}
			_, err := Open(dir, c.options)
			wantError(t, err, "open audit log", c.want)
		})
	}
}

func TestLockIsExclusive(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	_, err := Open(dir, Options{Now: noon})
	wantError(t, err, "process ", "audit.test", "has it open")
	mustClose(t, l)
	mustOpen(t, dir, Options{})
}

// Removing the file that names the holder must not let a second writer in.
func TestLockOutlivesItsFile(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{Now: noon})
	wantError(t, err, "has it open")
	mustClose(t, l)
	mustOpen(t, dir, Options{})
}

func TestEveryNewDirectoryIsMadeDurable(t *testing.T) {
	root := t.TempDir()
	var synced []string
	dir := filepath.Join(root, "a", "b", "audit")
	disk := func(f *os.File) error {
		if !strings.HasPrefix(f.Name(), dir) {
			synced = append(synced, f.Name())
		}
		return f.Sync()
	}
	mustOpen(t, dir, Options{fsync: disk})
	if want := []string{root, filepath.Join(root, "a"), filepath.Join(root, "a", "b")}; !slices.Equal(synced, want) {
		t.Errorf("fsynced %v, want %v", synced, want)
	}
}

func TestTornTail(t *testing.T) {
	for name, cut := range map[string]func(whole [][]byte) []byte{
		"half a line":                       func(w [][]byte) []byte { return w[len(w)-1][:len(w[len(w)-1])/2] },
		"a line without its end":            func(w [][]byte) []byte { return bytes.TrimSuffix(w[len(w)-1], []byte("\n")) },
		"zeros, as some file systems leave": func([][]byte) []byte { return make([]byte, 3*MaxLine) },
		"a single byte of a line":           func([][]byte) []byte { return []byte("{") },
		"more than a line can hold":         func([][]byte) []byte { return []byte(strings.Repeat("x", MaxLine+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := written(t, 10)
			segs := files(t, dir, ".jsonl")
			last := segs[len(segs)-1]
			torn := cut(lines(t, last))
			f, err := os.OpenFile(last, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(torn); errors.Join(err, f.Close()) != nil {
				t.Fatal(err)
			}
			if n := len(mustRead(t, dir)); n != 10 {
				t.Errorf("a reader sees %d records", n)
			}
			if _, err := Verify(dir); err != nil {
				t.Errorf("verify beside a torn tail: %v", err)
			}
			l := mustOpen(t, dir, Options{})
			mustAppend(t, l, intent(11))
			all := mustRead(t, dir)
			if len(all) != 12 || all[10].Record.Kind != gate.RecordNote || !strings.Contains(all[10].Record.Text, ".torn") {
				t.Errorf("after reopening: %d records, %+v", len(all), all[10:])
			}
			if kept, err := os.ReadFile(last + ".1.torn"); err != nil || !bytes.Equal(kept, torn) {
				t.Errorf("kept aside %d of %d bytes: %v", len(kept), len(torn), err)
			}
			if _, err := Verify(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTornFirstLineAndEmptySegment(t *testing.T) {
	for name, content := range map[string]string{
		"an empty first segment": "",
		"half a first record":    `{"v":1,"seq":1,"lo`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := logDir(t)
			os.Mkdir(dir, 0o700)
			if err := os.WriteFile(segmentAt(dir, 1).path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			l := mustOpen(t, dir, Options{})
			mustAppend(t, l, intent(1))
			if _, err := Verify(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRefusesADamagedLog(t *testing.T) {
	for name, d := range damages {
		if d.unseen {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := written(t, 20)
			d.inflict(t, dir, files(t, dir, ".jsonl"))
			_, err := Open(dir, Options{Now: noon})
			wantError(t, err, "keep the directory as evidence", "line ")
			if n := len(files(t, dir, ".torn")); n != 0 {
				t.Error("something was moved aside")
			}
		})
	}
}

func TestSegmentsThatAreGone(t *testing.T) {
	dir := written(t, 20)
	segs := files(t, dir, ".jsonl")
	last := segs[len(segs)-1]
	if err := errors.Join(os.Truncate(last, 0), os.Remove(filepath.Join(dir, markName)), os.Remove(filepath.Join(dir, checkpointName))); err != nil {
		t.Fatal(err)
	}
	mustClose(t, mustOpen(t, dir, Options{})) // as after a crash between making a segment and writing to it
	if err := os.Remove(segs[len(segs)-2]); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, Options{Now: noon})
	wantError(t, err, "restore what is missing")
}

// FuzzSegment surveys logs, as Open does, whose only segment holds bytes from a stranger.
func FuzzSegment(f *testing.F) {
	whole, err := os.ReadFile(files(f, written(f, 3), ".jsonl")[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-9])
	f.Add(append([]byte("\n"), whole...))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := errors.Join(os.Chmod(dir, 0o700), os.WriteFile(segmentAt(dir, 1).path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, verdict := Verify(dir)
		found, err := surveyLog(dir)
		if (err == nil) != (verdict == nil) {
			t.Fatalf("Verify says %v, Open would say %v", verdict, err)
		}
		if whole := found.size; err == nil && (whole > 0 && content[whole-1] != '\n' || bytes.ContainsRune(content[whole:], '\n')) {
			t.Errorf("%d of %d bytes were taken for whole lines", whole, len(content))
		}
	})
}
