package advise

import (
	"context"
	"fmt"
	"time"
)

// fits says whether a call would fit now. It holds nothing.
func (s *Spend) fits(c call, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := s.refused(c.prompt, c.owner, c.most, c.priced, now); why != "" {
		return &Failure{Kind: FailedBudget, Text: why}
	}
	return nil
}

// reserve holds the most that a call can cost in all its budgets, or in none.
func (s *Spend) reserve(c call, now time.Time) ([]*account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := s.refused(c.prompt, c.owner, c.most, c.priced, now); why != "" {
		return nil, &Failure{Kind: FailedBudget, Text: why}
	}
	all := s.accounts(c.owner, now)
	for _, a := range all {
		a.held = a.held.plus(c.most)
	}
	s.under++
	return all, nil
}

// settle turns what was held into what was spent.
func (s *Spend) settle(held []*account, most, cost amount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range held {
		a.held, a.spent = a.held.minus(most), a.spent.plus(cost)
	}
	s.under--
	if cost.tokens > most.tokens {
		s.above++
	}
}

// turn waits until fewer than Concurrent calls are under way.
func (s *Spend) turn(ctx context.Context) (leave func(), err error) {
	full := func() error {
		return &Failure{Kind: FailedConcurrency, Text: fmt.Sprintf("%d calls were under way, as many as may be at once, until the time for this one ran out; it is free again when one of them ends", s.limits.Concurrent)}
	}
	if ctx.Err() != nil {
		return nil, &Failure{Kind: FailedConcurrency, Text: "the time for this call ran out before it was sent"}
	}
	if s.turns == nil {
		return func() {}, nil
	}
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, full()
	}
}

// pace waits until fewer than CallsPerMinute calls were begun in the last minute, and counts one more.
func (s *Spend) pace(ctx context.Context, now func() time.Time) error {
	for {
		wait := s.begin(now())
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return &Failure{Kind: FailedConcurrency, RetryAfter: wait, Text: fmt.Sprintf(
				"%d calls were begun within a minute, as many as may be, and the time for this one ran out; it is free again in %s", s.limits.CallsPerMinute, wait.Round(time.Second))}
		}
	}
}

// begin counts a call, or returns how long to wait before asking again.
func (s *Spend) begin(now time.Time) time.Duration {
	if s.limits.CallsPerMinute <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.begun[:0]
	for _, t := range s.begun {
		if t.After(now) { // the clock went back
			t = now
		}
		if now.Sub(t) < time.Minute {
			kept = append(kept, t)
		}
	}
	if len(kept) < s.limits.CallsPerMinute {
		kept = append(kept, now)
		s.begun = kept
		return 0
	}
	s.begun = kept
	return kept[0].Add(time.Minute).Sub(now)
}
