package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limited says that GitHub asks to wait longer than it is worth waiting.
type Limited struct{ Until time.Time }

func (l *Limited) Error() string {
	return "it asks to wait until " + l.Until.UTC().Format(time.RFC3339)
}

const (
	hubTries  = 4
	patience  = time.Minute // the longest wait
	hubAnswer = 16 << 20    // bytes of an answer
	// secondary is how long GitHub asks to wait where it does not say.
	secondary = time.Minute
)

// patient sends requests one write after the other, waits as GitHub asks, and sends again what surely was not done: any request that
// was turned away for its rate, and reads that failed. A write of which nobody knows is never sent again: whoever asked for it looks.
type patient struct {
	next             http.RoundTripper
	auth             func(context.Context) (string, error)
	now              func() time.Time
	pause            func(context.Context, time.Duration) error
	timeout, spacing time.Duration

	lock sync.Mutex
	last time.Time // when the last write was sent
}

// RoundTrip answers with a whole body in memory.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	for try := 1; ; try++ {
		if err := p.space(ctx, req.Method); err != nil {
			return nil, err
		}
		resp, err := p.once(ctx, req)
		var left time.Duration
		switch rest, limited := p.limited(resp); {
		case limited:
			if left = rest; left > patience || try == hubTries {
				return nil, &Limited{Until: p.now().Add(left)}
			}
		case req.Method == http.MethodGet && (err != nil || resp.StatusCode >= 500) && try < hubTries && ctx.Err() == nil && !refused(err):
			left = time.Second << (try - 1)
		default:
			return resp, err
		}
		if err := p.pause(ctx, left); err != nil {
			return nil, err
		}
	}
}

func refused(err error) bool {
	own := (*refusal)(nil)
	return errors.As(err, &own)
}

// space keeps writes apart.
func (p *patient) space(ctx context.Context, method string) error {
	if method == http.MethodGet {
		return nil
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if left := p.spacing - p.now().Sub(p.last); !p.last.IsZero() && left > 0 {
		if err := p.pause(ctx, left); err != nil {
			return err
		}
	}
	p.last = p.now()
	return nil
}

// once sends a request once.
func (p *patient) once(ctx context.Context, req *http.Request) (*http.Response, error) {
	token, err := p.auth(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	again := req.Clone(ctx)
	again.Header.Set("Authorization", "Bearer "+token)
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("send a request: %w", err)
		}
	}
	resp, err := p.next.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, hubAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > hubAnswer {
		return nil, refuse("its answer is longer than %d MiB", hubAnswer>>20)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// limited is whether a request was turned away for its rate, and how long to wait.
func (p *patient) limited(resp *http.Response) (time.Duration, bool) {
	if resp == nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusForbidden {
		return 0, false
	}
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err == nil && after >= 0 {
		return max(time.Duration(min(after, 86400))*time.Second, time.Second), true
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		at, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err == nil {
			return min(max(time.Unix(at, 0).Sub(p.now()), time.Second), 24*time.Hour), true
		}
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return 0, false
	}
	return secondary, resp.StatusCode == http.StatusTooManyRequests || strings.Contains(string(body), "secondary rate limit")
}
