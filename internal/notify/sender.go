package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The law: what is sent goes straight to the one address that the configuration names, over TLS but for what is near, follows no redirect,
// knows no proxy, waits for a few seconds, and reads no more of an answer than it takes to know what became of it.

// Sender says a message to one receiver, once: who tries again is the Outbox. An error is a Fault where it is known what that means.
type Sender interface {
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Receipt is what a receiver answers.
type Receipt struct {
	Message string // where it stands, so that it can be updated; empty: nowhere
}

// Fault is why a message did not get there.
type Fault struct {
	Err   error
	Final bool          // it never will
	Clear bool          // it is certain that it did not
	After time.Duration // when to try again, as the receiver asks
}

func (f *Fault) Error() string { return f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }

const answerMost = 64 << 10 // bytes of an answer that are read

// newClient is for one receiver.
func newClient() *http.Client {
	transport := &http.Transport{MaxIdleConns: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10} // no proxy from the environment
	return &http.Client{Timeout: postTimeout, Transport: capped{transport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// capped ends answers that are too long.
type capped struct{ http.RoundTripper }

func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, answerMost), resp.Body}
	}
	return resp, err
}

// post sends a JSON body. Whatever is not of the two hundreds is a Fault, a redirect too. What the answer says is of no use here, and may
// repeat what was sent.
func post(ctx context.Context, c *http.Client, to *url.URL, body []byte, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return &Fault{Err: err, Final: true, Clear: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "moorgate")
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		return &Fault{Err: bare(err), Clear: unsent(err)}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	return answered(resp)
}

// answered is what a status means.
func answered(resp *http.Response) error {
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	f := &Fault{Err: fmt.Errorf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode)), Clear: resp.StatusCode < 500 || resp.StatusCode == http.StatusServiceUnavailable}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		f.Final = true // the same bytes will be answered the same
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		f.After = time.Duration(min(seconds, 24*3600)) * time.Second
	}
	return f
}

// bare is an error without the address, whose path may be what a receiver knows its friends by.
func bare(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// unsent is whether nothing got to the other side: there was no connection.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
