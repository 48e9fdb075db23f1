package app

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"moorgate.dev/internal/advise"
)

// receiver is an OTLP/HTTP receiver.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	paths   []string
	headers []http.Header
	spans   []*tracepb.ResourceSpans
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body := io.Reader(req.Body)
		if req.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(req.Body)
			if err != nil {
				t.Errorf("unzip spans: %v", err)
				return
			}
			body = unzipped
		}
		content, err := io.ReadAll(body)
		var sent coltrace.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(content, &sent) != nil {
			t.Errorf("%d bytes are no spans (%v)", len(content), err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.paths, r.headers, r.spans = append(r.paths, req.URL.Path), append(r.headers, req.Header.Clone()), append(r.spans, sent.ResourceSpans...)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// one is the only span that came.
func (r *receiver) one(t *testing.T) (span *tracepb.Span, resource map[string]string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	resource = map[string]string{}
	n := 0
	for _, rs := range r.spans {
		for _, kv := range rs.Resource.Attributes {
			resource[kv.Key] = kv.Value.GetStringValue()
		}
		for _, ss := range rs.ScopeSpans {
			n += len(ss.Spans)
			span = ss.Spans[0]
		}
	}
	if n != 1 {
		t.Fatalf("%d spans came, want 1", n)
	}
	return span, resource
}

// askTraced asks a model once under a tracing and closes that.
func askTraced(t *testing.T, tr *tracing) {
	t.Helper()
	m := advise.Traced{Next: advise.ModelFunc(func(context.Context, advise.Prompt) (advise.Answer, error) {
		return advise.Answer{Text: "SECRET-ANSWER", Usage: advise.Usage{In: 3, Out: 4}}, nil
	}), Tracer: tr.tracer(), Named: "small-1"}
	if _, err := m.Ask(t.Context(), advise.Prompt{Name: "incident@1", User: "SECRET-USER", Case: "shop/" + strings.Repeat("x", 1000)}); err != nil {
		t.Fatal(err)
	}
	if err := tr.close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSpansGoToTheReceiver(t *testing.T) {
	r := newReceiver(t)
	tr, err := openTracing(t.Context(), tracingOptions{r.URL}, "judge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	askTraced(t, tr)
	span, resource := r.one(t)
	if span.Name != "chat small-1" || span.Kind != tracepb.Span_SPAN_KIND_CLIENT || r.paths[0] != "/v1/traces" {
		t.Errorf("span %q of kind %s at %s", span.Name, span.Kind, r.paths[0])
	}
	if resource["service.name"] != "moorgate" || resource["moorgate.role"] != "judge" {
		t.Errorf("the spans are of %v", resource)
	}
	seen := map[string]bool{}
	for _, kv := range span.Attributes {
		seen[kv.Key] = true
		if len(kv.Value.GetStringValue()) > spanValueMost {
			t.Errorf("%s has %d bytes", kv.Key, len(kv.Value.GetStringValue()))
		}
	}
	for _, key := range []string{"gen_ai.operation.name", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "moorgate.prompt", "moorgate.case"} {
		if !seen[key] {
			t.Errorf("the span has no %s: %v", key, seen)
		}
	}
	if strings.Contains(span.String(), "SECRET") {
		t.Errorf("the span holds what was asked or answered: %s", span)
	}
}

// What is in the environment neither switches tracing on nor leads it elsewhere.
func TestTheEnvironmentSendsNoSpans(t *testing.T) {
	elsewhere, r := newReceiver(t), newReceiver(t)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": elsewhere.URL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": elsewhere.URL + "/v1/traces", "OTEL_EXPORTER_OTLP_HEADERS": "x-stolen=1",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x-stolen=1", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere", "OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
		"OTEL_EXPORTER_OTLP_INSECURE": "true", "OTEL_TRACES_SAMPLER": "always_off", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1", "OTEL_SERVICE_NAME": "other", "OTEL_BSP_MAX_QUEUE_SIZE": "1",
		"HTTP_PROXY": elsewhere.URL, "HTTPS_PROXY": elsewhere.URL, "ALL_PROXY": elsewhere.URL,
	} {
		t.Setenv(name, value)
	}
	off, err := openTracing(t.Context(), tracingOptions{}, "judge", slog.New(slog.DiscardHandler))
	if err != nil || off != nil {
		t.Fatalf("without an address there is a tracing: %v, %v", off, err)
	}
	askTraced(t, off)
	tr, err := openTracing(t.Context(), tracingOptions{r.URL + "/in/v1/traces"}, "judge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	askTraced(t, tr)
	span, resource := r.one(t)
	if len(elsewhere.paths) != 0 || r.paths[0] != "/in/v1/traces" || r.headers[0].Get("X-Stolen") != "" || len(span.Attributes) < 5 || resource["service.name"] != "moorgate" {
		t.Errorf("elsewhere %v, here %v with %v and %d attributes of %v", elsewhere.paths, r.paths, r.headers[0], len(span.Attributes), resource)
	}
	if otel.GetTracerProvider() == any(tr.provider) {
		t.Error("the provider is global")
	}
}

func TestARedirectOfSpansIsNotFollowed(t *testing.T) {
	elsewhere := newReceiver(t)
	r := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/v1/traces", http.StatusTemporaryRedirect))
	defer r.Close()
	tr, err := openTracing(t.Context(), tracingOptions{r.URL}, "judge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	askTraced(t, tr)
	if len(elsewhere.paths) != 0 {
		t.Error("spans followed a redirect")
	}
}

// A receiver that never answers holds nobody up beyond the bound.
func TestTheLastSpansAreGivenSeconds(t *testing.T) {
	release := make(chan struct{})
	r := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer r.Close()
	defer close(release)
	tr, err := openTracing(t.Context(), tracingOptions{r.URL}, "judge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tr.tracer().Start(t.Context(), "stuck")
	span.End()
	began := time.Now()
	_ = tr.close(t.Context())
	if took := time.Since(began); took > spansFlush+5*time.Second {
		t.Errorf("closing took %s", took)
	}
}

func TestAddressesOfReceivers(t *testing.T) {
	for address, fine := range map[string]bool{"": true, "http://c:4318": true, "https://c/v1/traces": true, "c:4318": false, "grpc://c": false, "http://": false,
		"http://u:p@c": false, "http://c/?q=1": false, "http://c/#f": false, "://": false} {
		if err := (tracingOptions{address}).check(); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		} else if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error repeats what may be secret: %v", err)
		}
	}
}
