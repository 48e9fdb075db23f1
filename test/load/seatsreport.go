package main

import (
	"fmt"
	"strings"
)

// seatsRow is what others felt while Deployments were applied under one kind of webhook.
type seatsRow struct {
	Webhook string `json:"webhook"`
	Applies int    `json:"applies"` // that were answered
	Failed  int    `json:"failed"`  // or not answered in time
	Failure string `json:"failure,omitempty"`
	// ApplyP50 is how long a client waited, with all its coming again.
	ApplyP50 float64 `json:"applyP50"`
	Get      times   `json:"get"`
	List     times   `json:"list"`
	Post     times   `json:"post"`
	// SeatsMean and SeatsMost are requests under way in the priority level of people, and QueuedMost those that waited for a seat.
	SeatsMean  float64 `json:"seatsMean"`
	SeatsMost  int     `json:"seatsMost"`
	QueuedMost int     `json:"queuedMost"`
	Looks      int     `json:"looks"`
	Note       string  `json:"note,omitempty"`
}

type times struct {
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
	Failed int     `json:"failed"`
}

func timesOf(t *tally) times {
	return times{P50: round2(t.quantile(0.5)), P99: round2(t.quantile(0.99)), Failed: t.failed + t.dropped}
}

func rowOfSeats(name string, applies *tally, o *others, level *seatsLevel) seatsRow {
	r := seatsRow{Webhook: name, Applies: len(applies.took), Failed: applies.failed + applies.dropped, ApplyP50: round2(applies.quantile(0.5)),
		Get: timesOf(&o.get), List: timesOf(&o.list), Post: timesOf(&o.post), Looks: len(level.executing)}
	if applies.failure != nil {
		r.Failure = applies.failure.Error()
	}
	r.SeatsMean, r.SeatsMost = mean(level.executing)
	r.SeatsMean = round2(r.SeatsMean)
	_, r.QueuedMost = mean(level.waiting)
	if level.failure != nil {
		r.Note = level.failure.Error()
	}
	return r
}

func seatsTable(t *strings.Builder, rows []seatsRow) {
	if len(rows) == 0 {
		return
	}
	t.WriteString("\n| applies while a model takes its time: webhook | applies answered, not | apply p50 ms | others' GET p50, p99 ms | LIST | POST | seats taken: mean, most | queued, most | |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(t, "| %s | %d, %d | %.0f | %s | %s | %s | %.1f, %d | %d | %s |\n", r.Webhook, r.Applies, r.Failed, r.ApplyP50, r.Get, r.List, r.Post,
			r.SeatsMean, r.SeatsMost, r.QueuedMost, strings.ReplaceAll(strings.TrimSpace(r.Note+" "+r.Failure), "|", "/"))
	}
}

func (t times) String() string {
	s := fmt.Sprintf("%.1f, %.1f", t.P50, t.P99)
	if t.Failed > 0 {
		s += fmt.Sprintf(" (%d unanswered)", t.Failed)
	}
	return s
}
