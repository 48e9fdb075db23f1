package advise

import (
	"context"
	"errors"
	"time"
)

// Retry is a Model that asks another again after a failure that passes by itself, where the wait that the endpoint asks for and
// another call fit into what the context leaves. It stands outside of what counts and records, so that every try is counted.
type Retry struct {
	Next Model
	Now  func() time.Time
	// Jitter spreads tries: 0 to 1. nil: 1.
	Jitter func() float64
}

const (
	callRetries = 2
	retryFirst  = 500 * time.Millisecond
	retryMost   = 30 * time.Second // where the context has no deadline
)

// Ask asks, and asks again at most twice.
func (r Retry) Ask(ctx context.Context, p Prompt) (Answer, error) {
	for try := 0; ; try++ {
		a, err := r.Next.Ask(ctx, p)
		var f *Failure
		if err == nil || !errors.As(err, &f) {
			return a, err
		}
		pause, again := r.pause(ctx, f, try)
		if !again || wait(ctx, pause) != nil {
			return Answer{}, f
		}
	}
}

// pause is how long to wait before another try, and whether there is one.
func (r Retry) pause(ctx context.Context, f *Failure, try int) (time.Duration, bool) {
	switch f.Kind {
	case FailedRate, FailedServer, FailedReach:
	default:
		return 0, false
	}
	spread := 1.0
	if r.Jitter != nil {
		spread = r.Jitter()
	}
	pause := max(time.Duration(float64(retryFirst<<try)*(0.5+spread/2)), f.RetryAfter)
	deadline, bounded := ctx.Deadline()
	fits := bounded && r.Now().Add(pause).Before(deadline) || !bounded && pause <= retryMost
	return pause, try < callRetries && ctx.Err() == nil && fits
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
