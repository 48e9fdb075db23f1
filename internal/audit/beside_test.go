package audit

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"moorgate.dev/internal/gate"
)

// slowDisk is a disk of which every fsync of a segment waits for a word, once it is told to.
type slowDisk struct {
	slow   atomic.Bool
	begun  atomic.Int64
	answer chan error
}

func (d *slowDisk) fsync(f *os.File) error {
	if !d.slow.Load() || !strings.HasSuffix(f.Name(), segmentSuffix) {
		return f.Sync()
	}
	d.begun.Add(1)
	return <-d.answer
}

// stuckSeal is a log whose seal does not come to an end until the disk answers.
func stuckSeal(t *testing.T) (*Log, *slowDisk) {
	d := &slowDisk{answer: make(chan error)}
	l := mustOpen(t, logDir(t), Options{fsync: d.fsync, Mode: Batch})
	mustAppend(t, l, verdict("before"))
	d.slow.Store(true)
	time.Sleep(2 * flushEveryDefault)
	synctest.Wait()
	if n := d.begun.Load(); n != 1 {
		t.Fatalf("%d fsyncs have begun", n)
	}
	return l, d
}

func TestAVerdictWaitsForNoFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, d := stuckSeal(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := l.Append(ctx, verdict("meanwhile")); err != nil {
			t.Errorf("a verdict while the one before goes to the disk: %v", err)
		}
		close(d.answer)
		synctest.Wait()
		if c, err := ParseCheckpoint(l.Checkpoint(), l.VerifierKey()); err != nil || c.Size != 1 {
			t.Errorf("the checkpoint counts %d records, and 1 was on the disk: %v", c.Size, err)
		}
		if m, err := readMark(l.tail.dir); err != nil || m.Sequence != 1 {
			t.Errorf("record %d is told to be on the disk, and 1 was: %v", m.Sequence, err)
		}
		time.Sleep(2 * flushEveryDefault)
		synctest.Wait()
		if c, err := ParseCheckpoint(l.Checkpoint(), l.VerifierKey()); err != nil || c.Size != 2 {
			t.Errorf("a while later it counts %d records of 2: %v", c.Size, err)
		}
		mustClose(t, l)
		if err := verifyError(l.tail.dir); err != nil {
			t.Error(err)
		}
	})
}

// An error of the disk is told to one fsync alone: who asks a second one meanwhile may be told that all is well.
func TestAnIntentHearsOfTheErrorOfTheFsyncBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, d := stuckSeal(t)
		said := make(chan error, 1)
		go func() { _, err := l.Append(t.Context(), intent(1)); said <- err }()
		synctest.Wait()
		if n := d.begun.Load(); n != 1 || len(said) > 0 {
			t.Errorf("%d fsyncs at once, %d answers", n, len(said))
		}
		d.answer <- errors.New("the disk is gone")
		if err := <-said; err == nil || d.begun.Load() != 1 {
			t.Errorf("the intent was told %v after %d fsyncs", err, d.begun.Load())
		}
		if _, err := l.Append(t.Context(), verdict("after")); err == nil || l.Err() == nil {
			t.Error("the log goes on")
		}
		_ = l.Close() // it says what broke it
	})
}

func TestNoMoreWaitsForTheDiskThanWasWrittenInTwoFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, d := stuckSeal(t)
		mustAppend(t, l, verdict("meanwhile"))
		time.Sleep(2 * flushEveryDefault) // now it is its turn, and the one before is not through
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Append(ctx, gate.Record{Kind: gate.RecordVerdict}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third one: %v", err)
		}
		close(d.answer)
		mustClose(t, l)
	})
}
