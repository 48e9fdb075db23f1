package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func mustPut(t testing.TB, l *Log, content string) string {
	t.Helper()
	digest, err := l.PutBlob(context.Background(), []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// path is where a blob lies.
func path(t testing.TB, dir, digest string) string {
	t.Helper()
	folder, name, err := blobFile(dir, digest)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}

func TestBlobsAreNamedByTheirContent(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	for _, content := range []string{"", "hello", strings.Repeat("a long prompt, ", 10000)} {
		digest := mustPut(t, l, content)
		if again := mustPut(t, l, content); again != digest {
			t.Errorf("the same content has two names, %s and %s", digest, again)
		}
		if got, err := Blob(dir, digest); err != nil || string(got) != content {
			t.Errorf("%d bytes came back as %d, %v", len(content), len(got), err)
		}
		at, err := os.Stat(path(t, dir, digest))
		if err != nil || at.Mode().Perm() != 0o600 || at.Size() > 1000 {
			t.Errorf("%+v, %v", at, err)
		}
	}
	if all, _ := filepath.Glob(filepath.Join(dir, blobsName, "*", "*")); len(all) != 3 {
		t.Errorf("the folder holds %v", all)
	}
}

func TestABlobIsOnStableStorageWhenPutBlobReturns(t *testing.T) {
	var synced []string
	disk := func(f *os.File) error { synced = append(synced, f.Name()); return f.Sync() }
	dir := logDir(t)
	l := mustOpen(t, dir, Options{fsync: disk})
	synced = nil
	at := path(t, dir, mustPut(t, l, "hello"))
	folder := filepath.Dir(at)
	want := []string{dir, filepath.Join(dir, blobsName), filepath.Join(folder, "."+filepath.Base(at)+".new"), folder}
	if strings.Join(synced, " ") != strings.Join(want, " ") {
		t.Errorf("fsynced %v, want %v", synced, want)
	}
	synced = nil
	mustPut(t, l, "hello")
	if len(synced) == 0 || synced[len(synced)-1] != folder {
		t.Errorf("what another may have put without an fsync is not made durable: %v", synced)
	}
}

func TestABlobThatDecayedIsPutAnew(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	digest := mustPut(t, l, "hello")
	if err := os.WriteFile(path(t, dir, digest), []byte("rust"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "hello")
	if got, err := Blob(dir, digest); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEveryBlobPassesTheRedactor(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{Redact: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("s3cret"), []byte("[redacted]")) }})
	if got, err := Blob(dir, mustPut(t, l, "password=s3cret")); err != nil || string(got) != "password=[redacted]" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBlobRefuses(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	digest := mustPut(t, l, "hello")
	packed, err := pack([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	bomb, err := pack(make([]byte, BlobMax+1))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"another content":              mustPack(t, "world"),
		"nothing":                      nil,
		"no gzip":                      []byte("hello"),
		"half of it":                   packed[:len(packed)-6],
		"something after it":           append(bytes.Clone(packed), 'x'),
		"two of them":                  append(bytes.Clone(packed), packed...),
		"more than it may unpack to":   bomb,
		"more than any blob takes up":  make([]byte, packedMax+1),
		"the same with another header": otherHeader(t, "hello"),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path(t, dir, digest), content, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Blob(dir, digest)
			if name == "the same with another header" {
				if err != nil || string(got) != "hello" { // the name is the content's, not the file's
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			if err == nil || got != nil {
				t.Errorf("accepted %d bytes", len(got))
			}
		})
	}
	for _, name := range []string{"", "sha256:", "sha256:../../../etc/passwd", "sha256:" + strings.Repeat("A", 64), strings.Repeat("a", 64)} {
		if _, err := Blob(dir, name); err == nil || errors.Is(err, ErrNoBlob) {
			t.Errorf("%q is taken for a name: %v", name, err)
		}
	}
	if _, err := Blob(dir, digestPrefix+strings.Repeat("0", 64)); !errors.Is(err, ErrNoBlob) {
		t.Errorf("a blob that nobody put: %v", err)
	}
	if _, err := l.PutBlob(t.Context(), make([]byte, BlobMax+1)); err == nil {
		t.Error("a blob that is too large was put")
	}
}

func mustPack(t *testing.T, s string) []byte {
	t.Helper()
	b, err := pack([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func otherHeader(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Comment = "somebody else wrote this"
	if _, err := w.Write([]byte(s)); errors.Join(err, w.Close()) != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPutBlobEndsWithItsContextAndWithTheLog(t *testing.T) {
	stuck, begun := make(chan struct{}), make(chan struct{}, 9)
	var sticks atomic.Bool
	disk := func(f *os.File) error {
		if sticks.Load() {
			begun <- struct{}{}
			<-stuck
		}
		return f.Sync()
	}
	l := mustOpen(t, logDir(t), Options{fsync: disk})
	sticks.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := l.PutBlob(ctx, []byte("one")); !errors.Is(err, context.Canceled) {
		t.Errorf("while the disk is stuck: %v", err)
	}
	if _, err := l.PutBlob(ctx, []byte("two")); !errors.Is(err, context.Canceled) {
		t.Errorf("while another is written: %v", err)
	}
	close(stuck)
	mustClose(t, l)
	if _, err := l.PutBlob(t.Context(), []byte("three")); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestBlobsFailWithTheDisk(t *testing.T) {
	sick := errors.New("the disk is sick")
	var fails atomic.Bool
	l := mustOpen(t, logDir(t), Options{fsync: func(f *os.File) error {
		if fails.Load() {
			return sick
		}
		return f.Sync()
	}})
	fails.Store(true)
	if digest, err := l.PutBlob(t.Context(), []byte("x")); !errors.Is(err, sick) || digest != "" {
		t.Errorf("%q, %v", digest, err)
	}
	if err := l.Err(); err != nil {
		t.Errorf("the log broke although no record was lost: %v", err)
	}
	l.Append(t.Context(), intent(1))
	fails.Store(false)
	if _, err := l.PutBlob(t.Context(), []byte("x")); !errors.Is(err, sick) {
		t.Errorf("beside a broken log: %v", err)
	}
}

func TestManyPutTheSameBlob(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := Blob(dir, mustPut(t, l, "hello")); err != nil || string(got) != "hello" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	wg.Wait()
}

func FuzzBlob(f *testing.F) {
	whole, err := pack([]byte("hello"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(bytes.Clone(whole), whole...))
	f.Fuzz(func(t *testing.T, packed []byte) {
		content, err := unpack(packed)
		if err != nil {
			return
		}
		if len(content) > BlobMax {
			t.Errorf("%d bytes", len(content))
		}
		again, err := pack(content)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := unpack(again); err != nil || !bytes.Equal(back, content) {
			t.Errorf("%q came back as %q, %v", content, back, err)
		}
	})
}
