package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is all that was measured. Times are in milliseconds, memory in MiB.
type report struct {
	At         time.Time   `json:"at"`
	Commit     string      `json:"commit,omitempty"`
	Cores      int         `json:"cores"`
	Nodes      int         `json:"nodes"`
	Pods       int         `json:"pods"`
	Seconds    float64     `json:"seconds"`
	LoadBefore string      `json:"loadBefore,omitempty"`
	LoadAfter  string      `json:"loadAfter,omitempty"`
	Straight   []row       `json:"straight,omitempty"`
	Through    []row       `json:"through,omitempty"`
	Seats      []seatsRow  `json:"seats,omitempty"`
	Memory     []memoryRow `json:"memory"`
}

// row is what one webhook made of one kind of request.
type row struct {
	What    string   `json:"what"`
	Webhook string   `json:"webhook"`
	Rate    int      `json:"rate"` // a second
	Answers int      `json:"answers"`
	Dropped int      `json:"dropped"`
	Failed  int      `json:"failed"`
	Odd     int      `json:"odd"` // refused or not scored
	Failure string   `json:"failure,omitempty"`
	P50     float64  `json:"p50"`
	P99     float64  `json:"p99"`
	Max     float64  `json:"max"`
	Over    *float64 `json:"p99OverNothing,omitempty"`
	Target  *float64 `json:"target,omitempty"` // of Over
	CPU     *float64 `json:"cpuPerReview,omitempty"`
}

// memoryRow is what the webhook had in memory.
type memoryRow struct {
	When string  `json:"when"`
	MiB  float64 `json:"mib"`
	// ProgramMiB are pages of the program's file among them.
	ProgramMiB float64 `json:"programMiB"`
	PeakMiB    float64 `json:"peakMiB"`
}

func newReport(ctx context.Context, o options) report {
	r := report{At: time.Now().UTC().Truncate(time.Second), Cores: runtime.NumCPU(), Nodes: o.nodes, Pods: o.pods, Seconds: o.seconds, LoadBefore: loadAverage()}
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	return r
}

// rowsOf are the figures of all sides; target is what the last may take over nothing.
func rowsOf(what string, rate int, target float64, sides []*side, base *side) []row {
	var rows []row
	for i, s := range sides {
		r := row{What: what, Webhook: s.name, Rate: rate, Answers: len(s.took), Dropped: s.dropped, Failed: s.failed, Odd: s.odd,
			P50: round2(s.quantile(0.5)), P99: round2(s.quantile(0.99)), Max: round2(s.quantile(1)), CPU: s.perRequest()}
		if s.failure != nil {
			r.Failure = s.failure.Error()
		}
		if i == len(sides)-1 {
			r.Over, r.Target = new(round2(s.quantile(0.99)-base.quantile(0.99))), &target
		}
		rows = append(rows, r)
	}
	return rows
}

func round(f float64) float64  { return math.Round(f) }
func round2(f float64) float64 { return math.Round(f*100) / 100 }

// markdown prints the tables.
func (r report) markdown(out io.Writer) error {
	var t strings.Builder
	fmt.Fprintf(&t, "Measured %s on %d cores, commit %s: %d nodes, %d pods, %g s a figure, load %s before and %s after.\n",
		r.At.Format(time.RFC3339), r.Cores, r.Commit, r.Nodes, r.Pods, r.Seconds, r.LoadBefore, r.LoadAfter)
	table(&t, "Straight to the webhook", r.Straight)
	table(&t, "Through the API server", r.Through)
	seatsTable(&t, r.Seats)
	t.WriteString("\n| memory of the webhook's process | MiB | of which its program | most so far | target |\n|---|---|---|---|---|\n")
	for _, m := range r.Memory {
		fmt.Fprintf(&t, "| %s | %.0f | %.0f | %.0f | 150 |\n", m.When, m.MiB, m.ProgramMiB, m.PeakMiB)
	}
	_, err := io.WriteString(out, t.String())
	return err
}

func table(t *strings.Builder, title string, rows []row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "\n| %s | a second | webhook | p50 ms | p99 ms | most ms | p99 over nothing (target) | CPU ms a review (target 2.5) | not as measured |\n|---|---|---|---|---|---|---|---|---|\n", title)
	for _, r := range rows {
		over, cpu := "", ""
		if r.Over != nil {
			over = fmt.Sprintf("%+.1f (%.0f)", *r.Over, *r.Target)
		}
		if r.CPU != nil {
			cpu = fmt.Sprintf("%.2f", *r.CPU)
		}
		fmt.Fprintf(t, "| %s | %d | %s | %.1f | %.1f | %.1f | %s | %s | %s |\n", r.What, r.Rate, r.Webhook, r.P50, r.P99, r.Max, over, cpu, r.amiss())
	}
}

// amiss is what did not go as is measured.
func (r row) amiss() string {
	var all []string
	for _, of := range []struct {
		n    int
		what string
	}{{r.Dropped, "not sent"}, {r.Failed, "failed"}, {r.Odd, "refused or not scored"}} {
		if of.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", of.n, of.what))
		}
	}
	return strings.Join(append(all, strings.ReplaceAll(r.Failure, "|", "/")), " ")
}
