package audit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"moorgate.dev/internal/gate"
)

func TestCheckpointFormat(t *testing.T) {
	c := Checkpoint{Log: "judge-1", Size: 12, Root: Hash{1}, At: noon()}
	want := "moorgate.dev/audit/judge-1\n12\nAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-11-23T12:00:00Z\n"
	if c.text() != want {
		t.Errorf("got\n%s, want\n%s", c.text(), want)
	}
	if got, err := parseText(want); err != nil || got != c {
		t.Errorf("read back %+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"a line more":           want + "x\n",
		"a line less":           strings.TrimSuffix(want, "time 2026-11-23T12:00:00Z\n"),
		"another origin":        strings.Replace(want, "moorgate.dev/audit/", "example.com/", 1),
		"a log with a slash":    strings.Replace(want, "judge-1", "judge/1", 1),
		"a size with a sign":    strings.Replace(want, "\n12\n", "\n+12\n", 1),
		"a size with a zero":    strings.Replace(want, "\n12\n", "\n012\n", 1),
		"a size that overflows": strings.Replace(want, "\n12\n", "\n9223372036854775808\n", 1),
		"half a root":           strings.Replace(want, "AQAA", "", 1),
		"a time elsewhere":      strings.Replace(want, "12:00:00Z", "13:00:00+01:00", 1),
		"no time":               strings.Replace(want, "time 2026", "tame 2026", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := parseText(bad); err == nil {
				t.Errorf("accepted as %+v", c)
			}
		})
	}
}

func TestACheckpointIsBelievedByItsSignature(t *testing.T) {
	dir, key, all := kept(t, 1)
	_, otherKey, others := kept(t, 1)
	good := all[0]
	if c, err := ParseCheckpoint(good, otherKey, key, key); err != nil || c.Size != 1 || !c.At.Equal(noon()) {
		t.Errorf("%+v, %v", c, err)
	}
	stranger, _, err := note.GenerateKey(nil, "example.com")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(stranger)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(good), "\n\n")
	foreign, err := note.Sign(&note.Note{Text: text + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		signed []byte
		keys   []string
		want   string
	}{
		"no key":             {good, nil, "none of the keys"},
		"the key of another": {good, []string{otherKey}, "none of the keys"},
		"no verifier key":    {good, []string{"hello"}, "verifier key"},
		"a changed size":     {bytes.Replace(good, []byte("\n1\n"), []byte("\n2\n"), 1), []string{key}, "signature"},
		"another's":          {others[0], []string{key}, "none of the keys"},
		"a stranger's":       {foreign, []string{key}, "none of the keys"},
		"no note":            {[]byte("hello"), []string{key}, "malformed"},
		"much too long":      {bytes.Repeat(good, 50), []string{key}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCheckpoint(c.signed, c.keys...)
			wantError(t, err, c.want)
		})
	}
	if b, err := ReadCheckpoint(dir); err != nil || !bytes.Equal(b, good) {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if b, err := ReadCheckpoint(t.TempDir()); err != nil || b != nil {
		t.Errorf("no file holds %q, %v", b, err)
	}
}

// A checkpoint must never count what a power cut may still take.
func TestCheckpointsCountOnlyWhatIsOnStableStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := logDir(t)
		l := mustOpen(t, dir, Options{Mode: Batch, FlushEvery: 3 * time.Second, SegmentBytes: 4000})
		counted := func() uint64 {
			synctest.Wait()
			signed := l.Checkpoint()
			if file, err := ReadCheckpoint(dir); err != nil || !bytes.Equal(file, signed) {
				t.Fatalf("the file holds %q, Checkpoint says %q, %v", file, signed, err)
			}
			if signed == nil {
				return 0
			}
			c, err := ParseCheckpoint(signed, l.VerifierKey())
			if err != nil {
				t.Fatal(err)
			}
			return c.Size
		}
		mustAppend(t, l, verdict("one"), verdict("two"))
		if n := counted(); n != 0 {
			t.Errorf("%d counted before they are fsynced", n)
		}
		time.Sleep(3 * time.Second)
		if n := counted(); n != 2 {
			t.Errorf("%d counted after FlushEvery", n)
		}
		mustAppend(t, l, intent(1))
		time.Sleep(3 * time.Second)
		if n := counted(); n != 3 {
			t.Errorf("%d counted after an intent and FlushEvery", n)
		}
		for i := range 8 {
			mustAppend(t, l, intent(i+2))
		}
		segs := files(t, dir, ".jsonl")
		if n := counted(); len(segs) < 2 || segmentAt(dir, n+1) != (segment{first: n + 1, path: segs[len(segs)-1]}) {
			t.Errorf("%d counted when a segment was begun, of %v", n, segs)
		}
		mustAppend(t, l, verdict("last"))
		mustClose(t, l)
		if n := counted(); n != 12 {
			t.Errorf("%d counted after Close", n)
		}
	})
}

func TestTheLogKeepsAKeyOfItsOwn(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	id, key := l.ID(), l.VerifierKey()
	mustClose(t, l)
	if at, err := os.Stat(filepath.Join(dir, keyName)); err != nil || at.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", at, err)
	}
	l = mustOpen(t, dir, Options{})
	if l.VerifierKey() != key || l.ID() != id || !strings.HasPrefix(key, originPrefix+id+"+") {
		t.Errorf("log %s had key %s, and now %s has %s", id, key, l.ID(), l.VerifierKey())
	}
	mustAppend(t, l, intent(1))
	mustClose(t, l)
	if keys, err := VerifierKeys(dir); err != nil || len(keys) != 1 || keys[0] != key {
		t.Errorf("keys %v, %v", keys, err)
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

func TestAMountedKeySignsAndAChangeOfKeysIsTold(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	mounted, err := ParseSigner(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	dir := logDir(t)
	l := mustOpen(t, dir, Options{Signer: mounted})
	first := l.VerifierKey()
	mustAppend(t, l, intent(1))
	mustClose(t, l)
	old := l.Checkpoint()
	if _, err := os.Stat(filepath.Join(dir, keyName)); !os.IsNotExist(err) {
		t.Errorf("a key lies in the log's folder although one was handed in: %v", err)
	}
	l = mustOpen(t, dir, Options{})
	second := l.VerifierKey()
	mustClose(t, l)
	notes := mustRead(t, dir)
	if last := notes[len(notes)-1].Record; len(notes) != 2 || last.Kind != gate.RecordNote || !strings.Contains(last.Text, first) || !strings.Contains(last.Text, second) {
		t.Errorf("the change of keys is not told: %+v", notes)
	}
	if _, err := Verify(dir, Anchor{Checkpoint: old}, Anchor{Checkpoint: old, Keys: []string{first}}); err != nil {
		t.Error(err)
	}
}

func TestParseSignerRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	wrong := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for name, b := range map[string][]byte{"nothing": nil, "no PEM": []byte("hello"), "another kind of key": wrong, "two blocks": append(bytes.Clone(wrong), wrong...),
		"no key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseSigner(b); err == nil || bytes.Contains(b, []byte("hello")) && strings.Contains(err.Error(), "hello") {
				t.Errorf("%v", err)
			}
		})
	}
	_, err = Open(logDir(t), Options{Now: noon, Signer: ec})
	wantError(t, err, "Ed25519")
}

func TestOpenRefusesWhatItsOwnCheckpointDoesNotSay(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"records cut off, and the mark too": {func(t *testing.T, dir string) {
			segs := files(t, dir, ".jsonl")
			ll := lines(t, segs[len(segs)-1])
			rewrite(t, segs[len(segs)-1], ll[:len(ll)-1]...)
			os.Remove(filepath.Join(dir, markName))
		}, "counted by the log's own file"},
		"every segment gone, and the mark too": {func(t *testing.T, dir string) {
			for _, s := range files(t, dir, ".jsonl") {
				os.Remove(s)
			}
			os.Remove(filepath.Join(dir, markName))
		}, "the log ends with record 0"},
		"a checkpoint that was changed": {func(t *testing.T, dir string) { overwrite(t, filepath.Join(dir, checkpointName), 60, []byte("AA")) }, "signature"},
		"a checkpoint that is no note":  {func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, checkpointName), nil, 0o600) }, "malformed"},
		"another log's checkpoint": {func(t *testing.T, dir string) {
			_, key, all := kept(t, 1)
			os.WriteFile(filepath.Join(dir, checkpointName), all[0], 0o600)
			os.WriteFile(filepath.Join(dir, keysName), []byte(key+"\n"), 0o600)
		}, "this is log"},
		"records rewritten with all that follows": {func(t *testing.T, dir string) {
			other := rewritten(t, dir, 5, true)
			for _, s := range files(t, other, ".jsonl") {
				put(t, other, dir, filepath.Base(s))
			}
		}, "the log was rewritten"},
		"keys that are none": {func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, keysName), []byte("x\n"), 0o600) }, "verifier keys"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := written(t, 20)
			c.spoil(t, dir)
			_, err := Open(dir, Options{Now: noon})
			wantError(t, err, c.want)
			if _, err := Verify(dir); err == nil {
				t.Error("Verify finds nothing")
			}
		})
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	dir := logDir(f)
	l := mustOpen(f, dir, Options{})
	if _, err := l.Append(context.Background(), intent(1)); err != nil {
		f.Fatal(err)
	}
	mustClose(f, l)
	key := l.VerifierKey()
	f.Add(l.Checkpoint(), key)
	f.Add([]byte("a\n1\n\ntime\n\n— x y\n"), "a+00000000+AA==")
	f.Fuzz(func(t *testing.T, signed []byte, other string) {
		c, err := ParseCheckpoint(signed, key)
		if err == nil && !bytes.HasPrefix(signed, []byte(c.text()+"\n")) {
			t.Errorf("accepted %q as %+v", signed, c)
		}
		if text, _, ok := strings.Cut(string(signed), "\n\n"); ok {
			if c, err := parseText(text + "\n"); err == nil && c.text() != text+"\n" {
				t.Errorf("read %q as %+v", text, c)
			}
		}
		ParseCheckpoint(signed, other)
	})
}

func FuzzParseSigner(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if key, err := ParseSigner(b); (key == nil) != (err != nil) {
			t.Errorf("%v, %v", key, err)
		}
	})
}
