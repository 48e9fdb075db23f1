package audit

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestFollowSeesWhatIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := logDir(t)
		l := mustOpen(t, dir, Options{SegmentBytes: 1500})
		mustAppend(t, l, intent(1), intent(2), intent(3), intent(4))
		ctx, cancel := context.WithCancel(t.Context())
		var got []uint64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for e, err := range Follow(ctx, dir, 3, time.Second) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, e.Position.Sequence)
			}
		}()
		synctest.Wait()
		for i := range 6 {
			mustAppend(t, l, intent(i+5))
			time.Sleep(700 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		cancel()
		<-done
		if len(got) != 8 || got[0] != 3 || got[7] != 10 {
			t.Errorf("followed %v", got)
		}
	})
}

func TestFollowReadsALineOnlyWhenItIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := written(t, 2)
		file := files(t, dir, ".jsonl")[0]
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		os.Truncate(file, int64(len(whole)-20))
		got := 0
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, err := range Follow(ctx, dir, 0, 0) {
				if err != nil {
					t.Error(err)
				}
				got++
			}
		}()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got != 1 {
			t.Errorf("%d records of one and a half", got)
		}
		os.WriteFile(file, whole, 0o600)
		time.Sleep(2 * time.Second)
		cancel()
		<-done
		if got != 2 {
			t.Errorf("%d records of two", got)
		}
	})
}

func TestReadersBesideAWriter(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{SegmentBytes: 4000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			if _, err := l.Append(context.Background(), verdict("v")); err != nil {
				t.Error(i, err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := Verify(dir); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(mustRead(t, dir)); n != 200 {
		t.Errorf("%d records", n)
	}
}

func TestReadingNothing(t *testing.T) {
	dir := logDir(t)
	for _, err := range Read(dir) {
		wantError(t, err, "list the segments")
	}
	mustOpen(t, dir, Options{})
	if n := len(mustRead(t, dir)); n != 0 {
		t.Errorf("%d records in an empty log", n)
	}
	if head, err := Head(dir); err != nil || head.Position.Sequence != 0 {
		t.Errorf("head of an empty log: %+v, %v", head, err)
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}
