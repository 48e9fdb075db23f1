package audit

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"moorgate.dev/internal/gate"
)

func TestAppendAndReadBack(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{Name: "judge"})
	pos, err := l.Append(context.Background(), intent(1))
	if err != nil {
		t.Fatal(err)
	}
	if pos != (gate.Position{Log: l.ID(), Sequence: 1}) || !strings.HasPrefix(pos.Log, "judge-") {
		t.Errorf("position %+v", pos)
	}
	mustClose(t, l)
	l = mustOpen(t, dir, Options{Name: "another"})
	if l.ID() != pos.Log {
		t.Errorf("the log changed its id from %s to %s", pos.Log, l.ID())
	}
	mustAppend(t, l, outcome(1))
	all := mustRead(t, dir)
	if len(all) != 2 || all[1].Position.Sequence != 2 || all[0].Record.Text != "intent 1 <&>" || !all[0].Record.At.Equal(noon()) {
		t.Errorf("read back %+v", all)
	}
	if head, err := Head(dir); err != nil || head.Hash != all[1].Hash {
		t.Errorf("head %+v, %v", head, err)
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

func TestModes(t *testing.T) {
	dir := written(t, 20)
	if at, _ := os.Stat(dir); at.Mode().Perm() != 0o700 {
		t.Errorf("directory mode %v", at.Mode())
	}
	segs := files(t, dir, ".jsonl")
	if len(segs) < 3 {
		t.Fatalf("only %d segments", len(segs))
	}
	for _, f := range segs {
		if at, _ := os.Stat(f); at.Mode().Perm() != 0o600 || at.Size() > 3000 {
			t.Errorf("%s: mode %v, %d bytes", f, at.Mode(), at.Size())
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{SegmentBytes: 20000})
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 6 {
				r := intent(w*100 + i)
				if i%3 == 1 {
					r = verdict("v")
				}
				if _, err := l.Append(context.Background(), r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(l.Unresolved()); n != 64*4 {
		t.Errorf("%d intents unresolved", n)
	}
	mustClose(t, l)
	if n := len(mustRead(t, dir)); n != 64*6 {
		t.Errorf("%d records", n)
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

// What stood in the file when the last fsync began is all that a power cut leaves for sure.
func TestIntentIsOnStableStorageWhenAppendReturns(t *testing.T) {
	var safe atomic.Int64
	disk := func(f *os.File) error {
		at, err := f.Stat()
		if err == nil && strings.HasSuffix(f.Name(), segmentSuffix) {
			safe.Store(at.Size())
		}
		return err
	}
	dir := logDir(t)
	l := mustOpen(t, dir, Options{fsync: disk})
	for i := range 20 {
		mustAppend(t, l, verdict("before"), intent(i))
		at, err := os.Stat(files(t, dir, ".jsonl")[0])
		if err != nil || at.Size() != safe.Load() {
			t.Fatalf("the file has %d bytes and %d are safe; %v", at.Size(), safe.Load(), err)
		}
	}
}

func TestVerdictIsFlushedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs atomic.Int64
		disk := func(f *os.File) error {
			if strings.HasSuffix(f.Name(), segmentSuffix) {
				syncs.Add(1)
			}
			return nil
		}
		l := mustOpen(t, logDir(t), Options{fsync: disk, FlushEvery: 3 * time.Second, Mode: Batch})
		mustAppend(t, l, verdict("one"))
		time.Sleep(time.Second)
		mustAppend(t, l, verdict("two"))
		time.Sleep(2*time.Second - time.Millisecond)
		synctest.Wait()
		if n := syncs.Load(); n != 0 {
			t.Errorf("%d fsyncs before FlushEvery has passed", n)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := syncs.Load(); n != 1 {
			t.Errorf("%d fsyncs after FlushEvery has passed", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := syncs.Load(); n != 1 {
			t.Errorf("%d fsyncs with nothing to flush", n)
		}
		mustAppend(t, l, verdict("three"))
		mustClose(t, l)
		if n := syncs.Load(); n != 2 {
			t.Errorf("%d fsyncs after Close", n)
		}
	})
}

func TestFailedFsyncBreaksTheLog(t *testing.T) {
	sick := errors.New("the disk is sick")
	var fails atomic.Bool
	var after atomic.Int64
	disk := func(f *os.File) error {
		if fails.Load() {
			after.Add(1)
			return sick
		}
		return f.Sync()
	}
	dir := logDir(t)
	l := mustOpen(t, dir, Options{fsync: disk})
	mustAppend(t, l, intent(1))
	select {
	case <-l.Broken():
		t.Error("a log that works says that it is broken")
	default:
	}
	fails.Store(true)
	for _, r := range []gate.Record{intent(2), intent(3), verdict("v"), {Kind: gate.RecordNote}} {
		if _, err := l.Append(context.Background(), r); !errors.Is(err, sick) {
			t.Errorf("append of %s after a failed fsync: %v", r.Kind, err)
		}
	}
	fails.Store(false)
	select {
	case <-l.Broken():
	default:
		t.Error("nobody who waits for the log to break is told")
	}
	if _, err := l.Append(context.Background(), intent(4)); !errors.Is(err, sick) {
		t.Errorf("the log mended itself: %v", err)
	}
	if !errors.Is(l.Err(), sick) || !errors.Is(l.Close(), sick) {
		t.Error("Err and Close do not tell the cause")
	}
	if n := after.Load(); n != 1 {
		t.Errorf("%d fsyncs after the first one that failed", n-1)
	}
	if m, err := readMark(dir); err != nil || m.Sequence != 1 {
		t.Errorf("%q says %+v, %v; only record 1 was fsynced", markName, m, err)
	}
	l = mustOpen(t, dir, Options{})
	mustAppend(t, l, intent(5))
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

func TestCancelledAppend(t *testing.T) {
	stuck, begun := make(chan struct{}), make(chan struct{}, 9)
	disk := func(*os.File) error { begun <- struct{}{}; <-stuck; return nil }
	dir := logDir(t)
	mustClose(t, mustOpen(t, dir, Options{})) // so that nothing has to be fsynced to begin it
	l := mustOpen(t, dir, Options{fsync: disk})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-begun; cancel() }()
	if _, err := l.Append(ctx, intent(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("while the disk is stuck: %v", err)
	}
	if _, err := l.Append(ctx, intent(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("before anything was written: %v", err)
	}
	close(stuck)
	mustClose(t, l)
	if all := mustRead(t, dir); len(all) != 1 || all[0].Record.Text != intent(1).Text {
		t.Errorf("the log holds %+v", all)
	}
}

func TestRefusedRecordsLeaveTheLogAsItWas(t *testing.T) {
	for name, r := range map[string]gate.Record{
		"a record that is much too large":         verdict(strings.Repeat("x", 3*maxPending)),
		"a record that is just too large":         verdict(strings.Repeat("x", MaxLine-100)),
		"a record that cannot be written as JSON": {Kind: gate.RecordNote, Signal: &gate.Signal{At: time.Date(math.MaxInt32, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := logDir(t)
			l := mustOpen(t, dir, Options{})
			mustAppend(t, l, intent(1))
			if _, err := l.Append(context.Background(), r); err == nil {
				t.Error("accepted")
			}
			mustAppend(t, l, intent(2))
			if all := mustRead(t, dir); len(all) != 2 {
				t.Errorf("%d records", len(all))
			}
			if _, err := Verify(dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestManyLargeRecordsWaitTheirTurn(t *testing.T) {
	l := mustOpen(t, logDir(t), Options{fsync: func(*os.File) error { return nil }})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() { mustAppend(t, l, verdict(strings.Repeat("x", MaxLine/2))) })
	}
	wg.Wait()
}

func TestClosedLogRefuses(t *testing.T) {
	l := mustOpen(t, logDir(t), Options{})
	mustClose(t, l)
	mustClose(t, l)
	if _, err := l.Append(context.Background(), intent(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a closed log: %v", err)
	}
}

func TestUnresolved(t *testing.T) {
	again := intent(1)
	other := intent(1)
	other.Correlation = "shop/other"
	for name, c := range map[string]struct {
		records []gate.Record
		want    []uint64
	}{
		"an intent with its outcome is closed":                    {[]gate.Record{intent(1), outcome(1)}, nil},
		"an intent without one is open":                           {[]gate.Record{intent(1), verdict("v"), intent(2), outcome(1)}, []uint64{3}},
		"an outcome closes the newest try, so a crash stays open": {[]gate.Record{intent(1), again, outcome(1)}, []uint64{1}},
		"two outcomes close two tries":                            {[]gate.Record{intent(1), again, outcome(1), outcome(1)}, nil},
		"the same plan of another Case is another intent":         {[]gate.Record{intent(1), other, outcome(1)}, []uint64{2}},
		"an outcome of nothing closes nothing":                    {[]gate.Record{outcome(1), intent(1)}, []uint64{2}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := logDir(t)
			sequences := func(l *Log) (s []uint64) {
				for _, e := range l.Unresolved() {
					s = append(s, e.Position.Sequence)
				}
				return s
			}
			l := mustOpen(t, dir, Options{SegmentBytes: 1})
			mustAppend(t, l, c.records...)
			if got := sequences(l); !slices.Equal(got, c.want) {
				t.Errorf("while open: %v, want %v", got, c.want)
			}
			mustClose(t, l)
			if got := sequences(mustOpen(t, dir, Options{})); !slices.Equal(got, c.want) {
				t.Errorf("after reopening: %v, want %v", got, c.want)
			}
		})
	}
}
