package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

const (
	// seatsOf is the priority level of people, whose seats are few.
	seatsOf   = "global-default"
	looks     = 100 * time.Millisecond
	levelsURL = "/debug/api_priority_and_fairness/dump_priority_levels"
)

// seatsLevel is how many requests of a priority level were seen under way, and waiting for a seat.
type seatsLevel struct {
	executing, waiting []int
	failure            error
}

// watch looks until ctx ends. Its own requests take no seat: they are the admin's.
func (l *seatsLevel) watch(ctx context.Context, config *rest.Config) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		l.failure = err
		return
	}
	for until(ctx, time.Now().Add(looks)) {
		if err := l.look(ctx, client, config.Host); err != nil && ctx.Err() == nil {
			l.failure = err
		}
	}
}

func (l *seatsLevel) look(ctx context.Context, client *http.Client, host string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+levelsURL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	table := csv.NewReader(resp.Body)
	table.TrimLeadingSpace, table.FieldsPerRecord = true, -1
	rows, err := table.ReadAll()
	if err != nil {
		return fmt.Errorf("ask for seats: %w", err)
	}
	if len(rows) == 0 || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for seats: %s", resp.Status)
	}
	executing, waiting := slices.Index(rows[0], "ExecutingRequests"), slices.Index(rows[0], "WaitingRequests")
	for _, row := range rows[1:] {
		if strings.TrimSpace(row[0]) != seatsOf || len(row) <= max(executing, waiting) || min(executing, waiting) < 0 {
			continue
		}
		under, errUnder := strconv.Atoi(strings.TrimSpace(row[executing]))
		wait, errWait := strconv.Atoi(strings.TrimSpace(row[waiting]))
		if errUnder == nil && errWait == nil {
			l.executing, l.waiting = append(l.executing, under), append(l.waiting, wait)
		}
	}
	return nil
}

// mean and most of what was seen.
func mean(seen []int) (average float64, most int) {
	for _, n := range seen {
		average, most = average+float64(n)/float64(len(seen)), max(most, n)
	}
	return average, most
}
