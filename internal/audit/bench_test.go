package audit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"moorgate.dev/internal/gate"
)

// fullIntent is an intent of the size that remediate writes: facts, evidence, policy, assessment and verdict.
func fullIntent() gate.Record {
	r := intent(1)
	r.Facts = &gate.Facts{At: noon(), Subject: subject, Menu: []gate.Action{*r.Action}}
	for i := range 8 {
		r.Evidence = append(r.Evidence, gate.Evidence{ID: fmt.Sprint("e", i), Source: "Event/web", At: noon(), Trust: gate.FromEvent,
			Text: "Back-off restarting failed container app in pod web-7d9c5b6f4-x2x1z"})
	}
	r.Policy = &gate.Policy{Rails: []gate.Rail{{Name: "shop", Mode: gate.Automatic, WarnBelow: gate.Known(80), DenyBelow: gate.Known(60)}}}
	r.Assessment = &gate.Assessment{Advisor: "causes", Cause: "crash-loop", Score: gate.Known(90), Choice: []string{"evict"}}
	r.Verdict = &gate.Verdict{Decision: gate.Allow}
	return r
}

func BenchmarkAppendIntent(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var fsyncs atomic.Int64
			l := mustOpen(b, logDir(b), Options{fsync: func(f *os.File) error { fsyncs.Add(1); return f.Sync() }})
			r := fullIntent()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					mine := r
					for i := 0; left.Add(-1) >= 0; i++ {
						mine.Correlation = fmt.Sprintf("shop/%d-%d", w, i)
						mine.Kind = gate.RecordIntent
						if i%2 == 1 {
							mine.Correlation, mine.Kind = fmt.Sprintf("shop/%d-%d", w, i-1), gate.RecordOutcome
						}
						mustAppend(b, l, mine)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			report(b, fsyncs.Load())
		})
	}
}

// BenchmarkFloor is the disk alone: lines of the same size, so many in one write, one fsync, again. Nothing that keeps the
// same promise to as many writers can be faster.
func BenchmarkFloor(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			one := line(b, fullIntent())
			fsyncs := int64(0)
			b.ResetTimer()
			for left := b.N; left > 0; left -= writers {
				if _, err := f.Write(bytes.Repeat(one, min(left, writers))); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				fsyncs++
			}
			b.StopTimer()
			report(b, fsyncs)
		})
	}
}

func report(b *testing.B, fsyncs int64) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.N)/float64(fsyncs), "records/fsync")
	b.ReportMetric(float64(len(line(b, fullIntent()))), "B/record")
}

// BenchmarkVerify checks a log of 100,000 records of about a kibibyte, one in fifty of them an intent or its outcome.
func BenchmarkVerify(b *testing.B) {
	const records = 100_000
	dir := logDir(b)
	l := mustOpen(b, dir, Options{fsync: func(*os.File) error { return nil }, Mode: Batch})
	r := fullIntent()
	r.Evidence = r.Evidence[:1]
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
	b.ReportMetric(float64(len(line(b, r))), "B/record")
}
