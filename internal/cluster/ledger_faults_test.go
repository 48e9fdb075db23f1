package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// attempt is one Reserve under faults, as its leader and the wire saw it.
type attempt struct {
	leader              int
	namespace, workload string
	target              string    // by which its entry is known
	stamp               time.Time // of its entry; none: it is not in the ledger
	call, end           time.Time
	told, refused       bool
	clocks              []reading // after each read that was answered, as the ledger was told
	mu                  sync.Mutex
	landed              time.Time // when the API server had answered a write with success
}

// reading is what the two clocks said.
type reading struct{ server, own time.Time }

type attemptKey struct{}

// wire is what lies between a leader and the API server. Faults are drawn from random; skew is how far off the server's clock
// seems to be.
type wire struct {
	next   http.RoundTripper
	random *rand.Rand // used by one leader only
	skew   func() time.Duration
	late   *sync.WaitGroup // writes that are still on their way after their sender gave up
	calm   bool
}

var errWire = errors.New("connection reset by the test")

// RoundTrip sends a request, or loses it, or its answer, or is slow.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	a, _ := r.Context().Value(attemptKey{}).(*attempt)
	if a == nil || w.calm {
		return w.send(r, a)
	}
	write := r.Method == http.MethodPut
	switch n := w.random.IntN(100); {
	case n < 4:
		return nil, errWire // never sent
	case n < 8:
		_, _ = w.send(r, a) // the answer is lost
		return nil, errWire
	case n < 12:
		answer, err := w.send(r, a)
		w.sleep(r.Context(), 80*time.Millisecond) // slow, perhaps too slow
		return answer, err
	case n < 15 && write:
		return nil, w.later(r, a)
	case n < 17 && write:
		return status(r, http.StatusConflict, "Conflict"), nil // which is not true
	case n < 20 && write:
		_, _ = w.send(r, a)
		return status(r, http.StatusConflict, "Conflict"), nil // as after a retry on the way of one that got through
	case n < 22 && write:
		_, _ = w.send(r, a)
		return status(r, http.StatusInternalServerError, "InternalError"), nil
	}
	return w.send(r, a)
}

func (w *wire) send(r *http.Request, a *attempt) (*http.Response, error) {
	answer, err := w.next.RoundTrip(r)
	if err != nil || a == nil {
		return answer, err
	}
	if r.Method == http.MethodPut && answer.StatusCode == http.StatusOK {
		a.mu.Lock()
		a.landed = time.Now()
		a.mu.Unlock()
	}
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return nil, err
	}
	answer.Header.Set("Date", date.Add(w.skew()).UTC().Format(http.TimeFormat))
	return answer, nil
}

// later sends a write after its sender has given up on it.
func (w *wire) later(r *http.Request, a *attempt) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	pause := time.Duration(w.random.Int64N(int64(150 * time.Millisecond)))
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	w.late.Go(func() {
		time.Sleep(pause)
		if answer, err := w.send(again, a); err == nil {
			_ = answer.Body.Close()
		}
	})
	return errWire
}

func (w *wire) sleep(ctx context.Context, longest time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(w.random.Int64N(int64(longest)))):
	}
}

func status(r *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":%q,"code":%d}`, reason, code)
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body:   io.NopCloser(strings.NewReader(body))}
}

var version = regexp.MustCompile(`"resourceVersion":"[0-9]+",?`)

// withoutVersion takes the precondition off a write.
func withoutVersion(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = nil // the server will say so
	}
	body = version.ReplaceAll(body, nil)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}
