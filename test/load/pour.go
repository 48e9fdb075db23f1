package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// most is how many requests may be under way at once. What is due beyond that is not sent, and counted as dropped.
const most = 5000

// tally is what came of requests.
type tally struct {
	mu      sync.Mutex
	took    []time.Duration // of those that were answered, from when they were due
	dropped int
	failed  int
	failure error // the first
	odd     int   // answered, but not as is measured
	pouring time.Duration
}

// errOdd is what a send returns that was answered in another way than is measured: its time counts, and it is told of.
var errOdd = errors.New("answered in another way")

// pour sends requests at a fixed rate a second, whatever becomes of them, and returns once the last is answered. The number that
// send is told is unique to each.
func (t *tally) pour(ctx context.Context, rate int, window time.Duration, send func(ctx context.Context, n int) error) {
	var (
		under   atomic.Int64
		sent    sync.WaitGroup
		began   = time.Now()
		between = time.Second / time.Duration(rate)
		first   = len(t.took) + t.failed + t.dropped
	)
	for n := range int(window / between) {
		due := began.Add(time.Duration(n) * between)
		if !until(ctx, due) {
			break
		}
		if under.Load() >= most {
			t.drop()
			continue
		}
		under.Add(1)
		sent.Go(func() {
			defer under.Add(-1)
			t.add(due, send(ctx, first+n))
		})
	}
	t.pouring += time.Since(began)
	sent.Wait()
}

// until waits for a moment, and is false where ctx ends first.
func until(ctx context.Context, due time.Time) bool {
	if wait := time.Until(due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

func (t *tally) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped++
}

func (t *tally) add(due time.Time, err error) {
	took := time.Since(due)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && !errors.Is(err, errOdd) {
		t.failed++
		if t.failure == nil {
			t.failure = err
		}
		return
	}
	if err != nil {
		t.odd++
	}
	t.took = append(t.took, took)
}

// quantile is the time within which a share of the requests was answered, in milliseconds; 0 where none was.
func (t *tally) quantile(share float64) float64 {
	if len(t.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.took))
	at := int(share*float64(len(sorted))+0.9999) - 1
	return milliseconds(sorted[min(max(at, 0), len(sorted)-1)])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
