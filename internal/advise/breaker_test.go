package advise

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func newClock() *clock { return &clock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

// scripted is a model that answers what it is told.
type scripted struct {
	err   *Failure
	calls int
}

func (s *scripted) Ask(context.Context, Prompt) (Answer, error) {
	s.calls++
	if s.err != nil {
		return Answer{}, s.err
	}
	return Answer{Text: "{}", Usage: Usage{In: 10, Out: 5}}, nil
}

func kindOf(err error) FailureKind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

func TestTheBreakerOpensProbesGrowsAndCloses(t *testing.T) {
	c, m := newClock(), &scripted{err: &Failure{Kind: FailedServer, Text: "502"}}
	b := &Breaker{Model: m, Now: c.now, Faults: 3, Pause: 10 * time.Second, Longest: 35 * time.Second}
	ask := func() FailureKind { _, err := b.Ask(t.Context(), Prompt{}); return kindOf(err) }
	for range 3 {
		if got := ask(); got != FailedServer {
			t.Fatalf("before it opens: %q", got)
		}
	}
	for _, pause := range []time.Duration{10, 20, 35, 35} {
		pause *= time.Second
		if got := ask(); got != FailedBreaker {
			t.Fatalf("open: %q", got)
		}
		open, why, until := b.State()
		if !open || !strings.Contains(why, "502") || !until.Equal(c.now().Add(pause)) {
			t.Fatalf("state: %t %q until %s, want %s from now", open, why, until, pause)
		}
		c.add(pause - 1)
		if got := ask(); got != FailedBreaker {
			t.Fatalf("just before the pause ends: %q", got)
		}
		c.add(1)
		before := m.calls
		if got := ask(); got != FailedServer || m.calls != before+1 {
			t.Fatalf("the probe: %q", got)
		}
	}
	c.add(time.Minute)
	m.err = nil
	if got := ask(); got != "" {
		t.Fatalf("the probe that works: %q", got)
	}
	if open, _, _ := b.State(); open {
		t.Error("a probe that works closes it")
	}
	m.err = &Failure{Kind: FailedServer}
	ask()
	if open, _, _ := b.State(); open {
		t.Error("one fault after closing opens nothing")
	}
}

func TestWhatTheBreakerMakesOfOneFailure(t *testing.T) {
	for name, x := range map[string]struct {
		f     Failure
		pause time.Duration // 0: stays closed
	}{
		"a wrong key opens at once, for long":              {Failure{Kind: FailedKey, Text: "check the key"}, breakerLongest},
		"a model that is not there opens at once":          {Failure{Kind: FailedModel}, breakerLongest},
		"a quota that is used up opens at once":            {Failure{Kind: FailedQuota}, breakerLongest},
		"what the endpoint asks for is done":               {Failure{Kind: FailedRate, RetryAfter: 7 * time.Second}, 7 * time.Second},
		"what the endpoint asks for is bounded":            {Failure{Kind: FailedRate, RetryAfter: 1000 * time.Hour}, askedLongest},
		"one server error is not enough":                   {Failure{Kind: FailedServer}, 0},
		"a refusal is no fault":                            {Failure{Kind: FailedRefusal, RetryAfter: time.Minute}, 0},
		"a spent budget is no fault":                       {Failure{Kind: FailedBudget}, 0},
		"a negative RetryAfter is none":                    {Failure{Kind: FailedRate, RetryAfter: -time.Hour}, 0},
		"a wrong key with a longer wish is left alone for": {Failure{Kind: FailedKey, RetryAfter: 20 * time.Minute}, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			b := &Breaker{Model: &scripted{err: &x.f}, Now: c.now}
			_, _ = b.Ask(t.Context(), Prompt{})
			open, why, until := b.State()
			if open != (x.pause > 0) || open && (!until.Equal(c.now().Add(x.pause)) || !strings.Contains(why, x.f.Text)) {
				t.Errorf("open %t until %s: %s", open, until, why)
			}
		})
	}
}

func TestHalfOfTheCallsInAWindowOpenTheBreaker(t *testing.T) {
	c, m := newClock(), &scripted{}
	b := &Breaker{Model: m, Now: c.now}
	for i := range 10 {
		if open, _, _ := b.State(); open {
			t.Fatalf("open after %d calls", i)
		}
		m.err = nil
		if i%2 == 1 {
			m.err = &Failure{Kind: FailedTime}
		}
		_, _ = b.Ask(t.Context(), Prompt{})
	}
	if open, why, _ := b.State(); !open {
		t.Errorf("5 of 10 failed, and it is closed: %s", why)
	}
}

func TestACallThatWasGivenUpSaysNothing(t *testing.T) {
	c, m := newClock(), &scripted{err: &Failure{Kind: FailedTime}}
	b := &Breaker{Model: m, Now: c.now, Faults: 1, Pause: time.Second}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = b.Ask(gone, Prompt{})
	if open, _, _ := b.State(); open {
		t.Fatal("the caller gave up, and the breaker opened")
	}
	_, _ = b.Ask(t.Context(), Prompt{})
	c.add(time.Second)
	_, _ = b.Ask(gone, Prompt{}) // a probe that is given up
	before := m.calls
	if _, err := b.Ask(t.Context(), Prompt{}); kindOf(err) != FailedTime || m.calls != before+1 {
		t.Errorf("after a probe that says nothing, the next call is the probe: %v", err)
	}
}

func TestTheClockGoingBackHoldsTheBreakerNoLongerThanItsPause(t *testing.T) {
	c := newClock()
	b := &Breaker{Model: &scripted{err: &Failure{Kind: FailedServer}}, Now: c.now, Faults: 1, Pause: time.Second}
	_, _ = b.Ask(t.Context(), Prompt{})
	c.add(-24 * time.Hour)
	if _, _, until := b.State(); !until.Equal(c.now().Add(time.Second)) {
		t.Errorf("until %s", until)
	}
}

func TestOneProbeAtATimeAndLateResultsCloseNothing(t *testing.T) {
	c := newClock()
	var inner func() (Answer, error)
	b := &Breaker{Now: c.now, Faults: 1, Pause: time.Second, Model: ModelFunc(func(context.Context, Prompt) (Answer, error) { return inner() })}
	fail := func() (Answer, error) { return Answer{}, &Failure{Kind: FailedServer} }
	inner = func() (Answer, error) { // while this one is under way, another opens the breaker
		inner = fail
		_, _ = b.Ask(t.Context(), Prompt{})
		return Answer{}, nil
	}
	_, _ = b.Ask(t.Context(), Prompt{})
	if open, _, _ := b.State(); !open {
		t.Error("a success that began before it opened closed it")
	}
	c.add(time.Second)
	inner = func() (Answer, error) {
		if _, err := b.Ask(t.Context(), Prompt{}); kindOf(err) != FailedBreaker {
			t.Errorf("a second probe: %v", err)
		}
		return Answer{}, nil
	}
	if _, err := b.Ask(t.Context(), Prompt{}); err != nil {
		t.Error(err)
	}
}
