package audit

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// The tree that grows by its edge is the tree of golang.org/x/mod/sumdb/tlog.
func TestTheTreeIsTheOneOfTheChecksumDatabase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var grown tree
		var stored []tlog.Hash
		read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			var hashes []tlog.Hash
			for _, i := range indexes {
				hashes = append(hashes, stored[i])
			}
			return hashes, nil
		})
		for n := range rapid.IntRange(0, 300).Draw(t, "records") {
			h := Hash{byte(n), byte(n >> 8)}
			want, err := tlog.StoredHashes(int64(n), h[:], read)
			if err != nil {
				t.Fatal(err)
			}
			got := grown.add(h.leaf(), nil)
			if len(got) != len(want) || got[len(got)-1] != want[len(want)-1] {
				t.Fatalf("record %d stores %v, want %v", n, got, want)
			}
			stored = append(stored, want...)
		}
		want, err := tlog.TreeHash(int64(grown.size), read)
		if err != nil || grown.root() != Hash(want) {
			t.Fatalf("root %s, want %s, %v", grown.root(), Hash(want), err)
		}
	})
}

func TestTheTreeFileIsMadeAnewFromTheLines(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"it is gone":            func(t *testing.T, path string) { os.Remove(path) },
		"it ends early":         func(t *testing.T, path string) { os.Truncate(path, 100) },
		"it has a wrong hash":   func(t *testing.T, path string) { overwrite(t, path, 70, []byte("x")) },
		"it has hashes to many": func(t *testing.T, path string) { overwrite(t, path, size(t, path), bytes.Repeat([]byte("x"), 77)) },
		"it is empty":           func(t *testing.T, path string) { os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := written(t, 21)
			path := filepath.Join(dir, treeName)
			want, err := os.ReadFile(path)
			if err != nil || int64(len(want)) != 32*tlog.StoredHashCount(21) {
				t.Fatalf("the file has %d bytes, %v", len(want), err)
			}
			spoil(t, path)
			before, err := Verify(dir)
			if err != nil {
				t.Fatal(err)
			}
			told := strings.Contains(findings(before), treeName)
			if wrong := strings.Contains(name, "wrong"); told != wrong {
				t.Errorf("findings: %s", findings(before))
			}
			mustClose(t, mustOpen(t, dir, Options{}))
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("made anew it has %d bytes of %d, %v", len(got), len(want), err)
			}
		})
	}
}

func findings(r Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.Text + "\n")
	}
	return b.String()
}

func overwrite(t *testing.T, path string, off int64, content []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(content, off); err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	at, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return at.Size()
}

// kept are the checkpoints that a log of n records signed, one after each of them.
func kept(t *testing.T, n int) (dir string, key string, signed [][]byte) {
	t.Helper()
	dir = logDir(t)
	for i := range n {
		l := mustOpen(t, dir, Options{})
		mustAppend(t, l, intent(i))
		mustClose(t, l)
		signed, key = append(signed, l.Checkpoint()), l.VerifierKey()
	}
	return dir, key, signed
}

func TestProofsNeedOnlyTheCheckpoints(t *testing.T) {
	dir, key, signed := kept(t, 9)
	var points []Checkpoint
	for _, s := range signed {
		c, err := ParseCheckpoint(s, key)
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, c)
	}
	entries, newest := mustRead(t, dir), points[8]
	for i, older := range points {
		p, err := ProveConsistency(dir, older, newest)
		if err != nil || CheckConsistency(p, older, newest) != nil {
			t.Errorf("checkpoint %d: %v", i+1, err)
		}
		forged := older
		forged.Root[3] ^= 1
		if CheckConsistency(p, forged, newest) == nil {
			t.Errorf("a forged checkpoint %d is accepted", i+1)
		}
		r, err := ProveRecord(dir, entries[i], newest)
		if err != nil || len(r) > 4 {
			t.Errorf("record %d: %d hashes, %v", i+1, len(r), err)
		}
		other := entries[i]
		other.Hash[0] ^= 1
		if CheckRecord(r, other, newest) == nil {
			t.Errorf("another record %d is accepted", i+1)
		}
	}
	other := points[3]
	other.Log = "other"
	if CheckConsistency(nil, other, newest) == nil || CheckRecord(nil, entries[0], other) == nil {
		t.Error("a checkpoint of another log is accepted")
	}
	overwrite(t, filepath.Join(dir, treeName), 0, make([]byte, 64))
	if _, err := ProveConsistency(dir, points[0], newest); err == nil {
		t.Error("a proof was made of hashes that are wrong")
	}
}

// FuzzTreeFile opens a log whose file of hashes holds bytes from a stranger: it is made anew from the lines, whatever they are.
func FuzzTreeFile(f *testing.F) {
	at := written(f, 5)
	whole, err := os.ReadFile(filepath.Join(at, treeName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-33])
	f.Add(append(bytes.Clone(whole), 1, 2, 3))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := filepath.Join(t.TempDir(), "audit")
		if err := os.CopyFS(dir, os.DirFS(at)); err != nil {
			t.Fatal(err)
		}
		os.Chmod(dir, 0o700)
		if err := os.WriteFile(filepath.Join(dir, treeName), content, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, Options{Now: noon, fsync: func(*os.File) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(context.Background(), intent(1)); err != nil {
			t.Fatal(err)
		}
		mustClose(t, l)
		if got, err := os.ReadFile(filepath.Join(dir, treeName)); err != nil || !bytes.HasPrefix(got, whole) || int64(len(got)) != 32*tlog.StoredHashCount(6) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}
