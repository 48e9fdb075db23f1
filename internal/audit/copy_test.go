package audit

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"moorgate.dev/internal/gate"
)

// out is a second place that can be stuck or broken.
type out struct {
	mu    sync.Mutex
	got   bytes.Buffer
	fails error
	stuck chan struct{}
}

func (o *out) Write(b []byte) (int, error) {
	if o.stuck != nil {
		<-o.stuck
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails != nil {
		return 0, o.fails
	}
	return o.got.Write(b)
}

func TestTheCopyIsWhatTheLogHolds(t *testing.T) {
	dir := logDir(t)
	var o out
	l := mustOpen(t, dir, Options{Copy: &o, SegmentBytes: 3000, Mode: Batch})
	for i := range 20 {
		mustAppend(t, l, intent(i), verdict("v"))
	}
	mustClose(t, l)
	var want []byte
	for _, s := range files(t, dir, ".jsonl") {
		b, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b...)
	}
	if !bytes.Equal(o.got.Bytes(), want) {
		t.Errorf("the copy has %d bytes, the log %d", o.got.Len(), len(want))
	}
	if n, err := l.CopyFailures(); n != 0 || err != nil {
		t.Errorf("%d records are said to be missing: %v", n, err)
	}
}

func TestACopyThatFailsIsCountedAndFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken pipe")
		l := mustOpen(t, logDir(t), Options{Copy: &out{fails: broken}})
		mustAppend(t, l, intent(1), intent(2), verdict("v"))
		synctest.Wait()
		if n, err := l.CopyFailures(); n != 3 || !errors.Is(err, broken) {
			t.Errorf("%d records are said to be missing: %v", n, err)
		}
		mustClose(t, l)
	})
}

func TestACopyThatIsStuckHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := logDir(t)
		o := &out{stuck: make(chan struct{})}
		l := mustOpen(t, dir, Options{Copy: o, fsync: func(*os.File) error { return nil }})
		large := gate.Record{Kind: gate.RecordIntent, Text: string(bytes.Repeat([]byte("x"), MaxLine/2))}
		for range 40 {
			mustAppend(t, l, large)
		}
		if n, err := l.CopyFailures(); n == 0 || !errors.Is(err, errCopySlow) {
			t.Errorf("%d records are said to be missing: %v", n, err)
		}
		mustClose(t, l)
		close(o.stuck)
		if n := len(mustRead(t, dir)); n != 40 {
			t.Errorf("the log has %d records", n)
		}
	})
}

func TestTheCopyHoldsNothingThatTheLogDoesNot(t *testing.T) {
	sick := errors.New("the disk is sick")
	fails := false
	var o out
	l := mustOpen(t, logDir(t), Options{Copy: &o, fsync: func(f *os.File) error {
		if fails {
			return sick
		}
		return f.Sync()
	}})
	mustAppend(t, l, intent(1))
	fails = true
	if _, err := l.Append(t.Context(), intent(2)); !errors.Is(err, sick) {
		t.Errorf("the copy stood in for the disk: %v", err)
	}
	l.Close()
	if n := bytes.Count(o.got.Bytes(), []byte("\n")); n != 1 {
		t.Errorf("the copy has %d lines", n)
	}
}
