package advise

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// newHTTP makes the client of an Endpoint. It follows no redirect, which would carry the key elsewhere, and asks no environment
// variable for a proxy.
func newHTTP(o EndpointOptions) *http.Client {
	t := &http.Transport{DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		MaxResponseHeaderBytes: 64 << 10}
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
	}
	return &http.Client{Transport: wire{t}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// wire reads a response as a whole, up to a bound, and refuses what is none of the protocol before the SDK makes something of it.
type wire struct{ next http.RoundTripper }

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes+1))
	_ = resp.Body.Close()
	switch {
	case len(body) > answerBytes:
		return nil, &Failure{Kind: FailedContent, Text: fmt.Sprintf("the response is larger than %d bytes", answerBytes)}
	case err != nil && req.Context().Err() != nil:
		return nil, req.Context().Err()
	case err != nil:
		return nil, &Failure{Kind: FailedCut, Text: "the connection ended in the middle of the response"}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, &Failure{Kind: FailedRedirect, Text: "the endpoint points elsewhere, and that is not followed: give the URL that it points to"}
	}
	if f := foreign(resp, body); f != nil {
		return nil, f
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// foreign is what is wrong with a successful response that no SDK should read.
func foreign(resp *http.Response, body []byte) *Failure {
	if resp.StatusCode >= 300 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &Failure{Kind: FailedContent, Text: "the response is no JSON: does the URL end where /chat/completions follows, such as /v1?"}
	}
	if says, ok := upstreamError(body); ok {
		return &Failure{Kind: FailedContent, Text: "the endpoint answered with success and an error in it: " + says.line()}
	}
	return nil
}
