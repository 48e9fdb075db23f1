package advise

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"

	"moorgate.dev/internal/gate"
)

// failure says what went wrong with a call, and what to do about it.
func (e *Endpoint) failure(ctx context.Context, err error) *Failure {
	var (
		ours    *Failure
		api     *openai.Error
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		lookup  *net.DNSError
		syntax  *json.SyntaxError
	)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &api):
		return e.status(api)
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return &Failure{Kind: FailedTime, Text: "no answer came in time"}
	case errors.As(err, &unknown), errors.As(err, &verify) && !errors.As(err, &host) && !errors.As(err, &invalid):
		return &Failure{Kind: FailedTLS, Text: "the endpoint's certificate is signed by nobody that is trusted: give its roots with caFile"}
	case errors.As(err, &host), errors.As(err, &invalid):
		return &Failure{Kind: FailedTLS, Text: "the endpoint's certificate is not good for this host or this time"}
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return &Failure{Kind: FailedTLS, Text: "the endpoint does not speak TLS on this port: is the URL http:// or another port?"}
	case errors.As(err, &lookup):
		return &Failure{Kind: FailedReach, Text: "the endpoint's name is not known here: check the URL, and DNS"}
	case errors.As(err, &syntax), strings.Contains(err.Error(), "expected destination type"), strings.Contains(err.Error(), "json"):
		return &Failure{Kind: FailedContent, Text: "the response is no JSON that Chat Completions knows"}
	}
	return &Failure{Kind: FailedReach, Text: "the endpoint cannot be reached: check the URL, the network and its policies"}
}

// status says what a status means.
func (e *Endpoint) status(api *openai.Error) *Failure {
	says := upstream{Message: api.Message, Code: api.Code, Param: api.Param, Type: api.Type}
	f := &Failure{Kind: FailedServer, RetryAfter: retryAfter(api.Response, e.o.Now())}
	switch code := api.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		f.Kind, f.Text = FailedKey, fmt.Sprintf("the endpoint does not take the key (%d): check the file that keyFile names, and what the key may do", code)
	case code == http.StatusTooManyRequests && (says.Code == "insufficient_quota" || says.Type == "insufficient_quota" || says.Code == "billing_hard_limit_reached"):
		f.Kind, f.Text = FailedQuota, "the account's quota is used up: waiting does not help"
	case code == http.StatusTooManyRequests:
		f.Kind, f.Text = FailedRate, "the endpoint asks for fewer calls"
	case code == http.StatusNotFound || says.Code == "model_not_found" || says.Code == "DeploymentNotFound":
		f.Kind, f.Text = FailedModel, fmt.Sprintf("the endpoint does not know the model %q, or nothing at this URL: %s", e.o.Model, says.line())
	case code == http.StatusRequestTimeout || code == http.StatusGatewayTimeout:
		f.Kind, f.Text = FailedTime, fmt.Sprintf("the endpoint took too long (%d)", code)
	case code < http.StatusInternalServerError && says.Code == "content_filter":
		f.Kind, f.Text = FailedFilter, "the endpoint's content filter held the question back"
	case code < http.StatusInternalServerError:
		f.Kind, f.Text = FailedRequest, fmt.Sprintf("the endpoint does not understand the question (%d): %s", code, says.line())
	default:
		f.Text = fmt.Sprintf("the endpoint failed (%d)", code)
	}
	return f
}

// upstream is an error as endpoints tell it.
type upstream struct {
	Message string `json:"message"`
	Code    string `json:"-"`
	Param   string `json:"-"`
	Type    string `json:"type"`
}

// line is all that is repeated of it.
func (u upstream) line() string {
	text := u.Message
	if u.Param != "" && !strings.Contains(text, u.Param) {
		text = u.Param + ": " + text
	}
	return gate.OneLine(text, 200)
}

// upstreamError is the error in a body, where it holds one and no choices.
func upstreamError(body []byte) (upstream, bool) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Choices json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(body, &outer) != nil || len(outer.Error) == 0 || string(outer.Error) == "null" || len(outer.Choices) > 0 {
		return upstream{}, false
	}
	var u upstream
	if json.Unmarshal(outer.Error, &u) != nil {
		_ = json.Unmarshal(outer.Error, &u.Message)
	}
	return u, true
}

// retryAfter is how long an endpoint asks to wait, in whatever form it says so. What makes no sense asks for nothing.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp == nil {
		return 0
	}
	if ms, err := strconv.ParseFloat(resp.Header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	text := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if s > 0 && s < 1e6 {
			return time.Duration(s * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
