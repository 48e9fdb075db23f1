package advise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The values of a Breaker that sets none.
const (
	breakerFaults  = 5
	breakerWindow  = 2 * time.Minute
	breakerPause   = 15 * time.Second
	breakerLongest = 10 * time.Minute
	askedLongest   = time.Hour // of what an endpoint asks for

	windowCalls = 10 // fewer say nothing about a share
	windowShare = 50 // percent
	windowMost  = 100
)

// Breaker is a Model that leaves another alone for a while after it failed: after Faults in a row, where half of the calls in
// Window failed, at once where waiting cures nothing soon (a wrong key, a model that is not there), and for as long as the endpoint
// asks. Then one call is let through as a probe; where it fails too, the next pause is twice as long, up to Longest.
//
// Only Failure.Fault counts. A call that its caller gave up, or that was never sent, says nothing about the endpoint. Each Model has
// its own Breaker: a triage model that is not there is no reason not to ask the expert.
type Breaker struct {
	Model Model
	Now   func() time.Time

	Faults  int           // in a row. Default 5
	Window  time.Duration // Default 2 min
	Pause   time.Duration // the first. Default 15 s
	Longest time.Duration // Default 10 min

	mu      sync.Mutex
	row     int
	recent  []result
	state   uint64 // counts openings and closings, so that late results of an earlier state are passed over
	open    bool
	probing bool
	why     string
	since   time.Time
	pause   time.Duration // how long this time
	grown   time.Duration // the last pause that grows
}

type result struct {
	at    time.Time
	fault bool
}

// Ask asks the model, unless it failed lately.
func (b *Breaker) Ask(ctx context.Context, p Prompt) (Answer, error) {
	state, refused := b.enter()
	if refused != nil {
		return Answer{}, refused
	}
	done := false
	defer func() {
		if !done { // it panicked: not the endpoint's doing
			b.leave(state, nothing, nil)
		}
	}()
	a, err := b.Model.Ask(ctx, p)
	done = true
	var f *Failure
	switch {
	case err == nil:
		b.leave(state, worked, nil)
	case !errors.As(err, &f), errors.Is(ctx.Err(), context.Canceled):
		b.leave(state, nothing, nil)
	case f.Fault():
		b.leave(state, faulted, f)
	case f.Kind == FailedRefusal || f.Kind == FailedFilter || f.Kind == FailedAnswer || f.Kind == FailedCut:
		b.leave(state, worked, nil) // no use to us, but it is there
	default:
		b.leave(state, nothing, nil)
	}
	return a, err
}

// State says whether the model is left alone, why, and until when. It is so, too, while a probe is under way.
func (b *Breaker) State() (open bool, why string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return false, "", time.Time{}
	}
	return true, b.why, b.until(b.Now())
}

// until is when a probe may be sent. Where the clock went back, the pause begins anew. The caller holds the lock.
func (b *Breaker) until(now time.Time) time.Time {
	if now.Before(b.since) {
		b.since = now
	}
	return b.since.Add(b.pause)
}

func (b *Breaker) enter() (uint64, *Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return b.state, nil
	}
	now := b.Now()
	until := b.until(now)
	if now.Before(until) {
		return 0, &Failure{Kind: FailedBreaker, RetryAfter: until.Sub(now), Text: fmt.Sprintf("the model is left alone until %s: %s", until.UTC().Format(time.RFC3339), b.why)}
	}
	if b.probing {
		return 0, &Failure{Kind: FailedBreaker, Text: "the model is being tried with one call, after it was left alone: " + b.why}
	}
	b.probing = true
	return b.state, nil
}

// said is what a call says about the endpoint.
type said int

const (
	nothing said = iota
	worked
	faulted
)

func (b *Breaker) leave(state uint64, s said, f *Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if state != b.state {
		return
	}
	b.probing = false
	if s == nothing {
		return
	}
	now := b.Now()
	if s == worked && b.open {
		b.open, b.grown, b.row, b.recent, b.state = false, 0, 0, nil, b.state+1
		return
	}
	b.note(now, s == faulted)
	if s == faulted {
		b.weigh(now, f)
	}
}

// note keeps a result, and forgets those that are older than the window.
func (b *Breaker) note(now time.Time, fault bool) {
	b.row++
	if !fault {
		b.row = 0
	}
	kept := b.recent[:0]
	for _, r := range b.recent {
		if age := now.Sub(r.at); age >= 0 && age < orDefault(b.Window, breakerWindow) {
			kept = append(kept, r)
		}
	}
	if len(kept) >= windowMost {
		kept = kept[1:]
	}
	kept = append(kept, result{now, fault})
	b.recent = kept
}

// weigh opens the breaker, where a fault is enough for that.
func (b *Breaker) weigh(now time.Time, f *Failure) {
	faults := 0
	for _, r := range b.recent {
		if r.fault {
			faults++
		}
	}
	longest := orDefault(b.Longest, breakerLongest)
	asked := min(max(f.RetryAfter, 0), askedLongest)
	switch {
	case f.Kind == FailedKey || f.Kind == FailedModel || f.Kind == FailedQuota:
		b.shut(now, f.Error(), max(longest, asked))
	case b.open || b.row >= orDefault(b.Faults, breakerFaults) || len(b.recent) >= windowCalls && 100*faults >= windowShare*len(b.recent):
		b.grown = min(max(2*b.grown, orDefault(b.Pause, breakerPause)), longest)
		b.shut(now, fmt.Sprintf("%d failures in a row, %d of the last %d calls; the last: %s", b.row, faults, len(b.recent), f.Error()), max(b.grown, asked))
	case asked > 0:
		b.shut(now, "the endpoint asks for it: "+f.Error(), asked)
	}
}

func (b *Breaker) shut(now time.Time, why string, pause time.Duration) {
	b.open, b.why, b.since, b.pause, b.state = true, why, now, pause, b.state+1
}

func orDefault[T int | time.Duration](v, standard T) T {
	if v > 0 {
		return v
	}
	return standard
}
