package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

// kibibyte is an intent with what was decided on, of 1,024 bytes as it stands in the log.
func kibibyte(t testing.TB) gate.Record {
	r := intent(1)
	r.Assessment = &gate.Assessment{Advisor: "causes", Cause: "crash-loop", Score: gate.Known(90), Choice: []string{"evict"}}
	r.Verdict = &gate.Verdict{Decision: gate.Allow}
	r.Text = strings.Repeat("x", len(r.Text)+1024-len(line(t, r)))
	return r
}

// BenchmarkAppend holds durable appends against the disk's own floor, measured just before with the same bytes: so many lines in
// one write, one fsync, again. Nothing that keeps the same promise to as many writers can be faster.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			floor := float64(b.N) / bare(b, b.N, writers).Seconds()
			var fsyncs atomic.Int64
			l := mustOpen(b, logDir(b), Options{fsync: func(f *os.File) error { fsyncs.Add(1); return f.Sync() }})
			took := make([][]time.Duration, writers)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() { took[w] = appendUntil(b, l, w, &left) })
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Sorted(slices.Values(slices.Concat(took...)))
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "records/s")
			b.ReportMetric(floor, "floor/s")
			b.ReportMetric(100*rate/floor, "%floor")
			b.ReportMetric(float64(b.N)/float64(fsyncs.Load()), "records/fsync")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// appendUntil appends intents and their outcomes, one after the other, until none is left, and says how long each took.
func appendUntil(b *testing.B, l *Log, w int, left *atomic.Int64) (took []time.Duration) {
	r := kibibyte(b)
	for i := 0; left.Add(-1) >= 0; i++ {
		r.Correlation, r.Kind = fmt.Sprintf("shop/%d-%d", w, i/2), gate.RecordIntent
		if i%2 == 1 {
			r.Kind = gate.RecordOutcome
		}
		start := time.Now()
		mustAppend(b, l, r)
		took = append(took, time.Since(start))
	}
	return took
}

// bare is how long the disk alone takes.
func bare(b *testing.B, records, writers int) time.Duration {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	group := bytes.Repeat(line(b, kibibyte(b)), writers)
	start := time.Now()
	for left := records; left > 0; left -= writers {
		if _, err := f.Write(group[:len(group)/writers*min(left, writers)]); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// BenchmarkVerify checks a log of 100,000 records of about a kibibyte, one in fifty of them an intent or its outcome.
func BenchmarkVerify(b *testing.B) {
	const records = 100_000
	dir := logDir(b)
	l := mustOpen(b, dir, Options{fsync: func(*os.File) error { return nil }, Mode: Batch})
	r := kibibyte(b)
	for i := range records {
		mine := r
		switch mine.Kind = gate.RecordVerdict; i % 100 {
		case 0:
			mine.Kind = gate.RecordIntent
		case 1:
			mine.Kind = gate.RecordOutcome
		}
		if _, err := l.Append(context.Background(), mine); err != nil {
			b.Fatal(err)
		}
	}
	mustClose(b, l)
	for b.Loop() {
		if _, err := Verify(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkVerdict is what an answer at the gate waits for its record: one of 200 a second, in Batch mode. What counts is the slowest
// of a hundred: the disk is asked for an fsync every second.
func BenchmarkVerdict(b *testing.B) {
	l := mustOpen(b, logDir(b), Options{Mode: Batch})
	r := kibibyte(b)
	r.Kind = gate.RecordVerdict
	var took []time.Duration
	due := time.NewTicker(5 * time.Millisecond)
	defer due.Stop()
	for b.Loop() {
		<-due.C
		began := time.Now()
		mustAppend(b, l, r)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "most-µs")
}
