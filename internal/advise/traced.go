package advise

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Traced is a Model of which every call is a span, with the names that OpenTelemetry has for calls to models. A span holds names
// and numbers. What was asked and what was answered is in the audit log and never in a span.
type Traced struct {
	Next   Model
	Tracer trace.Tracer
	// Named is the name of the model that Next asks, and Provider who speaks the protocol: openai, azure.ai.openai. Empty: openai,
	// which is what an endpoint of the same protocol is called.
	Named    string
	Provider string
}

// The names are those of the semantic conventions for generative AI; what they have no name for is below moorgate.
const (
	spanOperation   = attribute.Key("gen_ai.operation.name")
	spanProvider    = attribute.Key("gen_ai.provider.name")
	spanModel       = attribute.Key("gen_ai.request.model")
	spanMaxTokens   = attribute.Key("gen_ai.request.max_tokens")
	spanTemperature = attribute.Key("gen_ai.request.temperature")
	spanSeed        = attribute.Key("gen_ai.request.seed")
	spanOutput      = attribute.Key("gen_ai.output.type")
	spanAnsweredBy  = attribute.Key("gen_ai.response.model")
	spanTokensIn    = attribute.Key("gen_ai.usage.input_tokens")
	spanTokensOut   = attribute.Key("gen_ai.usage.output_tokens")
	spanError       = attribute.Key("error.type")

	spanPrompt    = attribute.Key("moorgate.prompt")
	spanTier      = attribute.Key("moorgate.tier")
	spanCase      = attribute.Key("moorgate.case")
	spanFace      = attribute.Key("moorgate.face")
	spanSample    = attribute.Key("moorgate.sample")
	spanCached    = attribute.Key("moorgate.tokens.cached")
	spanMicroUSD  = attribute.Key("moorgate.cost.micro_usd")
	spanEscalated = attribute.Key("moorgate.escalated")
)

const (
	operation       = "chat"
	defaultProvider = "openai"
)

// Ask asks within a span. Who asks and what comes of it are the same with and without one.
func (t Traced) Ask(ctx context.Context, p Prompt) (Answer, error) {
	provider := t.Provider
	if provider == "" {
		provider = defaultProvider
	}
	ctx, span := t.Tracer.Start(ctx, operation+" "+t.Named, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		spanOperation.String(operation), spanProvider.String(provider), spanModel.String(t.Named), spanMaxTokens.Int(p.MaxTokens), spanOutput.String("json"),
		spanPrompt.String(p.Name), spanTier.String(string(p.Tier)), spanCase.String(p.Case), spanFace.String(string(p.Face)), spanSample.Int(p.Sample),
		spanEscalated.Bool(p.Escalated != "")))
	defer span.End()
	a, err := t.Next.Ask(ctx, p)
	if err != nil {
		fail(span, err)
		return a, err
	}
	if a.Model != "" {
		span.SetAttributes(spanAnsweredBy.String(a.Model))
	}
	span.SetAttributes(parameters(a.Parameters)...)
	span.SetAttributes(cost(a.Usage, a.MicroUSD)...)
	return a, nil
}

// fail writes down of what kind a failure was. Its text stays out: an endpoint may have had a word in it.
func fail(span trace.Span, err error) {
	kind := FailedContent
	var f *Failure
	if errors.As(err, &f) {
		kind = f.Kind
		if f.Usage.Total() > 0 || f.MicroUSD > 0 {
			span.SetAttributes(cost(f.Usage, f.MicroUSD)...)
		}
	}
	span.SetAttributes(spanError.String(string(kind)))
	span.SetStatus(codes.Error, string(kind))
}

func cost(u Usage, microUSD int64) []attribute.KeyValue {
	return []attribute.KeyValue{spanTokensIn.Int(u.In), spanTokensOut.Int(u.Out), spanCached.Int(u.Cached), spanMicroUSD.Int64(microUSD)}
}

// parameters are those that the conventions have a number for.
func parameters(all map[string]string) []attribute.KeyValue {
	var out []attribute.KeyValue
	if v, err := strconv.ParseFloat(all["temperature"], 64); err == nil {
		out = append(out, spanTemperature.Float64(v))
	}
	if v, err := strconv.ParseInt(all["seed"], 10, 64); err == nil {
		out = append(out, spanSeed.Int64(v))
	}
	return out
}
