package main

import (
	"context"
	"time"
)

// turnTime is about how long a side is measured before it is the next one's turn: short, because what a machine does beside changes from
// second to second.
const turnTime = time.Second

// side is one of those that are compared.
type side struct {
	tally
	name string
	pid  int           // of the webhook; 0: there is none
	idle time.Duration // of a processor, that it uses in a second without requests
	send func(ctx context.Context, n int) error

	used time.Duration
}

// takeTurns measures all sides in turns.
func (b *bench) takeTurns(ctx context.Context, rate int, sides []*side) error {
	for _, s := range sides {
		var warm tally // connections, and what is made at the first request
		warm.pour(ctx, rate, b.o.window()/10, func(ctx context.Context, n int) error { return s.send(ctx, 1e6+n) })
	}
	rounds := max(2, int(b.o.window()/turnTime))
	for range rounds {
		for _, s := range sides {
			if err := s.turn(ctx, rate, b.o.window()/time.Duration(rounds)); err != nil {
				return err
			}
		}
	}
	return b.gateEnded()
}

func (s *side) turn(ctx context.Context, rate int, window time.Duration) error {
	if s.pid == 0 {
		s.pour(ctx, rate, window, s.send)
		return ctx.Err()
	}
	before, err := used(s.pid)
	if err != nil {
		return err
	}
	began := time.Now()
	s.pour(ctx, rate, window, s.send)
	after, err := used(s.pid)
	if err != nil {
		return err
	}
	s.used += max(0, after-before-time.Duration(float64(s.idle)*time.Since(began).Seconds()))
	return ctx.Err()
}

// perRequest is the processor time that one request took, in milliseconds; nil where there is no webhook.
func (s *side) perRequest() *float64 {
	if s.pid == 0 || len(s.took) == 0 {
		return nil
	}
	return new(round2(milliseconds(s.used) / float64(len(s.took))))
}
