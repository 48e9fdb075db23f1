package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracingOptions say where spans go.
type tracingOptions struct{ endpoint string }

func (o *tracingOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.endpoint, "otlp-endpoint", "", "http:// or https:// URL of an OTLP/HTTP receiver that the spans of calls to models go to; without a path, to /v1/traces of it (default: nowhere, whatever OTEL_* says)")
}

// check says what is wrong with the address.
func (o tracingOptions) check() error {
	if o.endpoint == "" {
		return nil
	}
	u, err := url.Parse(o.endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("--otlp-endpoint is no http:// or https:// URL of a receiver, without user, query and fragment: http://collector.monitoring:4318")
	}
	return nil
}

// The bounds of tracing. A receiver that is down costs memory for so many spans, and some seconds at the end.
const (
	spansKept     = 2048
	spansBatch    = 256
	spansEvery    = 5 * time.Second
	spansTimeout  = 5 * time.Second
	spansFlush    = 3 * time.Second
	spanValueMost = 256 // bytes of an attribute
)

// tracing sends spans to a receiver. The nil tracing sends none.
type tracing struct{ provider *sdktrace.TracerProvider }

// openTracing prepares to send spans as the given role. It connects to nobody yet, and answers nil where no receiver is configured.
// Nothing global is set, and no environment variable says where spans go or with which headers.
func openTracing(ctx context.Context, o tracingOptions, role string, logger *slog.Logger) (*tracing, error) {
	if o.endpoint == "" {
		return nil, nil
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.endpoint)
	if err != nil {
		return nil, fmt.Errorf("--otlp-endpoint: %w", err)
	}
	u.Path = cmp.Or(u.Path, "/")
	if u.Path == "/" {
		u.Path = "/v1/traces"
	}
	exporter, err := otlptrace.New(ctx, spansClient{u.String(), spansHTTP()})
	if err != nil {
		return nil, fmt.Errorf("prepare to send spans (--otlp-endpoint): %w", err)
	}
	limits := sdktrace.SpanLimits{AttributeValueLengthLimit: spanValueMost, AttributeCountLimit: 64, EventCountLimit: 16, LinkCountLimit: 16, AttributePerEventCountLimit: 16, AttributePerLinkCountLimit: 16}
	return &tracing{sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "moorgate"), attribute.String("service.version", version()), attribute.String("moorgate.role", role))),
		sdktrace.WithBatcher(&saysOnce{SpanExporter: exporter, logger: logger}, sdktrace.WithMaxQueueSize(spansKept), sdktrace.WithMaxExportBatchSize(spansBatch),
			sdktrace.WithBatchTimeout(spansEvery), sdktrace.WithExportTimeout(spansTimeout)))}, nil
}

// spansHTTP is a client that follows no redirect and asks no environment variable for a proxy.
func spansHTTP() *http.Client {
	return &http.Client{Timeout: spansTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: spansTimeout}).DialContext, TLSHandshakeTimeout: spansTimeout,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute}}
}

// tracer makes spans.
func (t *tracing) tracer() trace.Tracer {
	if t == nil {
		return noop.NewTracerProvider().Tracer("moorgate.dev")
	}
	return t.provider.Tracer("moorgate.dev", trace.WithInstrumentationVersion(version()))
}

// close sends what is left, within bounds, however the process ends.
func (t *tracing) close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), spansFlush)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans (--otlp-endpoint): %w", err)
	}
	return nil
}

// saysOnce tells of a receiver that fails, once until it works again. Spans that cannot be sent are dropped; the audit log has all
// that they say.
type saysOnce struct {
	sdktrace.SpanExporter
	logger *slog.Logger
	failed bool // exports follow one another
}

// ExportSpans sends spans.
func (s *saysOnce) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := s.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !s.failed:
		s.logger.WarnContext(ctx, "spans cannot be sent (--otlp-endpoint) and are dropped until they can; the audit log has every call", "error", err)
	case err == nil && s.failed:
		s.logger.InfoContext(ctx, "spans are sent again")
	}
	s.failed = err != nil
	return nil // it was told; the library would tell it again, to nobody's log
}
