package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// The targets of the part events.
const (
	judgeMiB = 256
	judgeMs  = 250
)

// eventsRow is what a rate of events cost the judge. Times are in milliseconds, from the end of the wait to the verdict.
type eventsRow struct {
	Rate    int     `json:"rate"`   // a second, that was asked for
	Stored  float64 `json:"stored"` // a second, that the API server took
	Failed  int     `json:"failed"` // to be stored, or not sent
	Causes  int     `json:"causes"`
	Judged  int     `json:"judged"`
	Cases   int     `json:"cases"` // so far, with those of earlier rates
	Due     int     `json:"due"`   // so many were to be
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
	CPU     float64 `json:"cpuPercent"` // of one core
	MiB     float64 `json:"mib"`
	PeakMiB float64 `json:"peakMiB"`
}

func (f *flood) row(rate int, names []string, noise *tally) eventsRow {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := eventsRow{Rate: rate, Stored: round2(float64(len(noise.took)) / max(1, noise.pouring.Seconds())), Failed: noise.failed + noise.dropped, Causes: len(names), Cases: f.cases, Due: f.next}
	var late tally
	for _, name := range names {
		if at, known := f.judged[name]; known {
			r.Judged++
			late.took = append(late.took, max(0, at.Sub(f.rang[name])-judgeWait)) // a sweep may have been faster than the event
		}
	}
	r.P50, r.P99, r.Max = round2(late.quantile(0.5)), round2(late.quantile(0.99)), round2(late.quantile(1))
	if now, _, peak, err := memory(f.gate.PID()); err == nil {
		r.MiB, r.PeakMiB = round(now), round(peak)
	}
	return r
}

// events prints the table, or the figures for machines.
func (r report) events(out io.Writer, o options, rows []eventsRow) error {
	if o.output == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			report
			Events []eventsRow `json:"events"`
		}{r, rows})
	}
	var t strings.Builder
	fmt.Fprintf(&t, "Measured %s on %d cores, commit %s: %d pods of %d Deployments, %g min a rate, load %s before and %s after.\n\n",
		r.At.Format(time.RFC3339), r.Cores, r.Commit, o.pods, o.owners, o.minutes, r.LoadBefore, r.LoadAfter)
	fmt.Fprintf(&t, "| Warning events a second | stored a second | not stored | causes | with a verdict | Cases of causes so far | p50 ms after the wait | p99 ms (target %d) | most ms | %% of a core | judge MiB | most MiB so far (target %d) |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n", judgeMs, judgeMiB)
	for _, x := range rows {
		fmt.Fprintf(&t, "| %d | %.0f | %d | %d | %d | %d of %d | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", x.Rate, x.Stored, x.Failed, x.Causes, x.Judged, x.Cases, x.Due, x.P50, x.P99, x.Max, x.CPU, x.MiB, x.PeakMiB)
	}
	_, err := io.WriteString(out, t.String())
	return err
}
