package cluster_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How many permits a second are reserved in a real API server, by one process and by eight that want the same ledger, with few
// entries in it and with many.
func BenchmarkReserve(b *testing.B) {
	s := newLedgerStage(b)
	p := budgets(1<<20, 1<<20, 1<<20, time.Hour)
	for _, c := range []struct{ contenders, before int }{{1, 0}, {8, 0}, {1, 900}, {8, 900}} {
		b.Run(fmt.Sprintf("contenders=%d/entries=%d", c.contenders, c.before), func(b *testing.B) {
			var running sync.WaitGroup
			var left atomic.Int64
			for done := 0; done < b.N; { // in rounds, because a full ledger takes nothing more
				b.StopTimer()
				s.fill(b, c.before)
				round := min(b.N-done, 100)
				left.Store(int64(round))
				b.StartTimer()
				for range c.contenders {
					l := s.ledger(b, time.Now)
					running.Go(func() {
						for left.Add(-1) >= 0 {
							if _, refused, err := l.Reserve(b.Context(), p, eviction("a", "x")); err != nil || refused != nil {
								b.Errorf("refused %v, %v", refused, err)
							}
						}
					})
				}
				running.Wait()
				done += round
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "permits/s")
		})
	}
}

// fill empties the ledger and writes so many entries into it.
func (s ledgerStage) fill(t testing.TB, n int) {
	t.Helper()
	s.empty(t)
	if n == 0 {
		return
	}
	at := time.Now().UTC().Format(time.RFC3339Nano)
	text := `{"entries":[`
	for i := range n {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"id":"entry-of-a-usual-length-%d","at":%q,"guardrails":["production"],"namespace":"shop","workload":"apps/Deployment/shop/checkout-%d","verb":"evict","target":"/Pod/shop/checkout-%d-5d8f7c9b4-abcde","cause":"crash-loop","result":"healed"}`, i, at, i, i)
	}
	s.put(t, map[string]string{"ledger": text + `],"tallies":[]}`})
}
