package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
)

// ErrNoPermit is in the error of every request that was refused before it left the process.
var ErrNoPermit = errors.New("no permit covers it, and nothing was sent")

// maxSent bounds the body of a write that is read before it is sent: what the API server takes at most.
const maxSent = 3 << 20

// Guarded is a copy of a config through which nothing is written that was not permitted, whoever makes a client of it. A write
// is refused before it leaves the process, unless it carries a Permit for exactly its bytes, which is spent by that, or is
// among the writes that this identity keeps as its own books. Whatever reaches into a pod or through the API server to somewhere
// else (exec, attach, portforward, proxy, an upgrade to another protocol) is refused, and so is every other host.
//
// Reads pass. The config itself is left as it is.
func Guarded(config *rest.Config, own Own) *rest.Config {
	guarded := rest.CopyConfig(config)
	g := guard{own: own}
	if u, _, err := rest.DefaultServerUrlFor(config); err == nil {
		g.scheme, g.host, g.prefix = u.Scheme, u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	} // else the host stays empty, and everything is refused
	guarded.Wrap(func(next http.RoundTripper) http.RoundTripper {
		g := g
		g.next = next
		return &g
	})
	return guarded
}

// guard stands between every client of one identity and the wire, inside of what adds credentials: what it sees is what is sent.
type guard struct {
	next   http.RoundTripper
	own    Own
	scheme string
	host   string
	prefix string // of every path, where the API server stands behind a proxy
}

// WrappedRoundTripper is how client-go looks through the layers of a transport.
func (g *guard) WrappedRoundTripper() http.RoundTripper { return g.next }

// permitKey is under what a Permit travels from the Hand to the guard. A RoundTripper sees a request and nothing else, and the
// context is the one part of a request that stays in the process. Nobody outside of this package can put a Permit there.
type permitKey struct{}

// carried is the Permit that a request carries, and the plan that it is for.
type carried struct {
	permit gate.Permit
	plan   gate.Action
}

func carrying(ctx context.Context, permit gate.Permit, plan gate.Action) context.Context {
	return context.WithValue(ctx, permitKey{}, carried{permit, plan})
}

// RoundTrip sends a request, or refuses it.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := g.pass(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%s %s: %w: %w", req.Method, gate.OneLine(req.URL.RequestURI(), 300), err, ErrNoPermit)
	}
	return g.next.RoundTrip(out)
}

// pass is the request as it may be sent. An error is why it may not.
func (g *guard) pass(req *http.Request) (*http.Request, error) {
	c, err := g.read(req)
	if err != nil {
		return nil, err
	}
	if reads(req.Method) {
		return req, nil
	}
	if with, ok := req.Context().Value(permitKey{}).(carried); ok {
		return g.spend(with, req)
	}
	if c.spelled != nil {
		return nil, c.spelled
	}
	out := req
	inside := sync.OnceValue(func() string { // a body can be read once, and several rules may ask
		body, err := bodyOf(req)
		if err != nil {
			return ""
		}
		out = withBody(req, body)
		return nameInside(body)
	})
	if g.own.keep(c, req.Method, req.URL, inside) {
		return out, nil
	}
	return nil, errors.New("this is a write, and none that this identity keeps its books by")
}

func reads(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// spend uses up the Permit that a request carries. The request that comes back has exactly the bytes that were compared, and
// cannot be sent again by the transport: without GetBody it has no means to.
func (g *guard) spend(with carried, req *http.Request) (*http.Request, error) {
	if err := plainly(req); err != nil {
		return nil, err
	}
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	wire := with.plan
	path, tries := strings.CutSuffix(strings.TrimPrefix(req.URL.RequestURI(), g.prefix), dryRun)
	wire.Request = &gate.Request{Method: req.Method, Path: path, ContentType: req.Header.Get("Content-Type"), Body: body}
	if tries && dry(req.Method, req.URL) && with.permit.Covers(wire) {
		return withBody(req, body), nil // a dry run of exactly what is permitted changes nothing, and spends nothing
	}
	if tries || !with.permit.Spend(wire) {
		return nil, errors.New("the permit that it carries is spent, or for something else")
	}
	return withBody(req, body), nil
}

// plainly refuses what could make the receiver read other bytes than the ones compared.
func plainly(req *http.Request) error {
	for header := range req.Header {
		if textproto.CanonicalMIMEHeaderKey(header) != header {
			return fmt.Errorf("its header %q is not spelled in the one way that is looked at", gate.OneLine(header, 100))
		}
	}
	switch {
	case len(req.Header.Values("Content-Type")) != 1:
		return errors.New("it does not have exactly one content type")
	case len(req.Header.Values("Content-Encoding")) > 0:
		return errors.New("its body is encoded")
	case len(req.TransferEncoding) > 0 || len(req.Trailer) > 0 || req.ContentLength < 0:
		return errors.New("its body comes in chunks")
	}
	return nil
}

// bodyOf reads the body of a request to its end.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxSent+1))
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, fmt.Errorf("read its body: %w", err)
	}
	if len(body) > maxSent {
		return nil, fmt.Errorf("its body is longer than %d bytes", maxSent)
	}
	return body, nil
}

// withBody is the request with a body that can be read once.
func withBody(req *http.Request, body []byte) *http.Request {
	out := *req
	out.Body, out.ContentLength, out.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	return &out
}
