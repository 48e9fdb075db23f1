package advise_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
)

// traced asks once within a span and returns the span.
func traced(t *testing.T, m advise.Model, p advise.Prompt) (sdktrace.ReadOnlySpan, advise.Answer, error) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	a, err := advise.Traced{Next: m, Tracer: provider.Tracer("moorgate"), Named: "small-1"}.Ask(t.Context(), p)
	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans, want 1", len(ended))
	}
	return ended[0], a, err
}

var prompted = advise.Prompt{Case: "shop/remediate-web-0123456789ab", Namespace: "shop", Face: gate.FaceRemediate, Name: "incident@1", Tier: advise.Expert, Sample: 2,
	Escalated: "triage is unsure: SECRET-WHY", System: "SECRET-SYSTEM", User: "SECRET-USER", Schema: []byte(`{"title":"SECRET-SCHEMA"}`), MaxTokens: 2000}

func TestACallIsOneSpan(t *testing.T) {
	answer := advise.Answer{Text: "SECRET-ANSWER", Model: "small-1-2026", Usage: advise.Usage{In: 900, Cached: 300, Out: 40}, MicroUSD: 77,
		Parameters: map[string]string{"temperature": "0.2", "seed": "7"}}
	span, got, err := traced(t, advise.ModelFunc(func(ctx context.Context, _ advise.Prompt) (advise.Answer, error) {
		if !trace.SpanFromContext(ctx).SpanContext().IsValid() {
			t.Error("the model is not asked within the span")
		}
		return answer, nil
	}), prompted)
	if err != nil || got.Text != answer.Text {
		t.Fatalf("the answer changed: %+v, %v", got, err)
	}
	if span.Name() != "chat small-1" || span.SpanKind() != trace.SpanKindClient || span.Status().Code != codes.Unset {
		t.Errorf("span %q, kind %s, status %+v", span.Name(), span.SpanKind(), span.Status())
	}
	wantAttributes(t, span, map[attribute.Key]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "small-1", "gen_ai.response.model": "small-1-2026",
		"gen_ai.request.max_tokens": "2000", "gen_ai.request.temperature": "0.2", "gen_ai.request.seed": "7", "gen_ai.output.type": "json",
		"gen_ai.usage.input_tokens": "900", "gen_ai.usage.output_tokens": "40",
		"moorgate.prompt": "incident@1", "moorgate.tier": "expert", "moorgate.case": prompted.Case, "moorgate.face": "remediate", "moorgate.sample": "2",
		"moorgate.tokens.cached": "300", "moorgate.cost.micro_usd": "77", "moorgate.escalated": "true"})
}

func TestAFailureIsASpanWithItsKind(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want map[attribute.Key]string
	}{
		{"says what it cost all the same", &advise.Failure{Kind: advise.FailedCut, Text: "SECRET-TEXT", Usage: advise.Usage{In: 5, Out: 6}, MicroUSD: 1},
			map[attribute.Key]string{"error.type": "cut", "gen_ai.usage.input_tokens": "5", "gen_ai.usage.output_tokens": "6"}},
		{"is found where it is wrapped", fmt.Errorf("SECRET-TEXT: %w", &advise.Failure{Kind: advise.FailedRate}), map[attribute.Key]string{"error.type": "rate-limited"}},
		{"of another sort is not the protocol's", errors.New("SECRET-TEXT"), map[attribute.Key]string{"error.type": "not-the-protocol"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			span, _, err := traced(t, advise.ModelFunc(func(context.Context, advise.Prompt) (advise.Answer, error) { return advise.Answer{}, row.err }), prompted)
			if !errors.Is(err, row.err) {
				t.Errorf("the error became %v", err)
			}
			if span.Status().Code != codes.Error || span.Status().Description != row.want["error.type"] {
				t.Errorf("status %+v", span.Status())
			}
			all := row.want
			for k, v := range map[attribute.Key]string{"gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1"} {
				all[k] = v
			}
			for k, v := range all {
				if got := attributes(t, span)[k]; got != v {
					t.Errorf("%s = %q, want %q", k, got, v)
				}
			}
		})
	}
}

// wantAttributes are exactly these.
func wantAttributes(t *testing.T, span sdktrace.ReadOnlySpan, want map[attribute.Key]string) {
	t.Helper()
	got := attributes(t, span)
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s = %q, want %q", k, got[k], v)
		}
		delete(got, k)
	}
	for k, v := range got {
		t.Errorf("nobody asked for %s = %q", k, v)
	}
}

// attributes of a span, in which nothing of a prompt or an answer may stand.
func attributes(t *testing.T, span sdktrace.ReadOnlySpan) map[attribute.Key]string {
	t.Helper()
	out := map[attribute.Key]string{}
	for _, kv := range span.Attributes() {
		out[kv.Key] = kv.Value.String()
	}
	if all := fmt.Sprint(span.Name(), out, span.Status(), span.Events(), span.Links()); strings.Contains(all, "SECRET") {
		t.Errorf("a span holds what was asked or answered: %s", all)
	}
	return out
}
