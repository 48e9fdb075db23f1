package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(nothingVar) != "" {
		exitWith(serveNothing())
	}
	os.Exit(m.Run())
}

// TestTheHarnessMeasures shows that every part gives figures, on a small cluster and for moments. It asks nothing of the figures.
func TestTheHarnessMeasures(t *testing.T) {
	o, err := parse([]string{"--nodes=20", "--pods=50", "--seconds=0.4", "--rate=20", "--applies=5", "--model=1s", "-o=json"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	if err := measure(t.Context(), o, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Straight) == 0 || len(r.Through) == 0 || len(r.Seats) != 3 || len(r.Memory) != 2 {
		t.Errorf("figures are missing: %s", out.String())
	}
	for _, row := range append(r.Straight, r.Through...) {
		if row.Answers == 0 || row.Failed+row.Dropped > 0 || row.P99 < row.P50 || row.Max < row.P99 {
			t.Errorf("%+v", row)
		}
	}
	for _, row := range r.Seats {
		if row.Applies == 0 || row.Get.P50 == 0 || row.List.P50 == 0 || row.Post.P50 == 0 || row.Looks == 0 {
			t.Errorf("%+v", row)
		}
	}
	var tables strings.Builder
	if err := r.markdown(&tables); err != nil || strings.Count(tables.String(), "\n| ") < 20 {
		t.Errorf("%v\n%s", err, tables.String())
	}
}

// TestAStallIsNotHidden shows that what was due while nothing was answered counts from when it was due.
func TestAStallIsNotHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		var counted tally
		stalled := time.Now().Add(time.Second)
		counted.pour(t.Context(), 10, time.Second, func(ctx context.Context, n int) error {
			sent.Add(1)
			until(ctx, stalled) // nobody is answered before
			return nil
		})
		if sent.Load() != 10 || len(counted.took) != 10 {
			t.Fatalf("%d sent, %d answered", sent.Load(), len(counted.took))
		}
		if half, all := counted.quantile(0.5), counted.quantile(1); half < 500 || half > 700 || all != 1000 {
			t.Errorf("half within %v ms, all within %v", half, all)
		}
	})
}

// TestWhatGoesWrongIsCounted shows that neither failures nor odd answers pass for what is measured.
func TestWhatGoesWrongIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted tally
		counted.pour(t.Context(), 10, time.Second, func(_ context.Context, n int) error {
			switch n {
			case 0:
				return errors.New("broken")
			case 1:
				return errOdd
			}
			return nil
		})
		if len(counted.took) != 9 || counted.failed != 1 || counted.odd != 1 || counted.failure == nil {
			t.Errorf("%d answered, %d failed (%v), %d odd", len(counted.took), counted.failed, counted.failure, counted.odd)
		}
	})
}

// TestFlags shows that what cannot be measured is refused at once.
func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"--pods=0"}, {"--only=all"}, {"-o=xml"}, {"straight"}, {"--seconds=-1"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

// TestTheHarnessRainsEvents shows on a small cluster that every cause has one Case and a verdict, whatever rains beside it, and that
// there are figures. It asks nothing of the figures.
func TestTheHarnessRainsEvents(t *testing.T) {
	o, err := parse([]string{"--only=events", "--nodes=5", "--pods=40", "--owners=8", "--minutes=0.03", "-o=json"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	if err := measureEvents(t.Context(), o, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	var r struct{ Events []eventsRow }
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Events) != len(rates) {
		t.Fatalf("figures are missing: %s", out.String())
	}
	for _, row := range r.Events {
		if row.Causes == 0 || row.Judged != row.Causes || row.Cases != row.Due || row.Stored == 0 || row.MiB == 0 {
			t.Errorf("%+v", row)
		}
	}
}
