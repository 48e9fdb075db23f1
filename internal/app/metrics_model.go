package app

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
)

// modelMetrics are the numbers about models.
type modelMetrics struct {
	names []string // of the configured models

	calls    *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	cost     *prometheus.CounterVec
	took     *prometheus.HistogramVec
	refusals *prometheus.CounterVec

	opinions      *prometheus.CounterVec
	alone         *prometheus.CounterVec
	findings      *prometheus.CounterVec
	ungrounded    *prometheus.CounterVec
	escalations   *prometheus.CounterVec
	disagreements *prometheus.CounterVec

	mu   sync.Mutex
	open map[string]string // the model that is asked, by the ID of the exchange: begun, and not ended
}

// openMost is how many calls are kept track of: far more than may be made at once. Those whose end could not be written down are
// among them.
const openMost = 4096

func (m *modelMetrics) register(all *metrics, names []string) {
	m.names, m.open = slices.Clone(names), map[string]string{}
	m.calls = all.counter("moorgate_model_calls_total", "Calls to models that ended, by what came of them: answered, or the kind of failure.", "tier", "model", "prompt", "outcome")
	m.tokens = all.counter("moorgate_model_tokens_total", "Tokens as the endpoint counted them. Those that are cached are part of those in.", "tier", "model", "kind")
	m.cost = all.counter("moorgate_model_cost_usd_total", "What calls cost, in USD, by the configured prices.", "tier", "model")
	m.refusals = all.counter("moorgate_model_refusals_total", "Calls that the model declined or a content filter held back.", "tier", "model")
	m.opinions = all.counter("moorgate_model_opinions_total", "Verdicts in which a model had a part.", "face")
	m.alone = all.counter("moorgate_model_alone_total", "Verdicts in which no model had a part, by why.", "face", "reason")
	m.findings = all.counter("moorgate_model_findings_total", "Findings of models that count, in verdicts.", "face")
	m.ungrounded = all.counter("moorgate_model_ungrounded_findings_total", "Findings of models that were dropped, because nothing bears them out, in verdicts.", "face")
	m.escalations = all.counter("moorgate_model_escalations_total", "Verdicts for which the expert was asked too, by why.", "face", "reason")
	m.disagreements = all.counter("moorgate_model_disagreements_total", "Verdicts in which the looks of models did not all come to the same.", "face")
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "moorgate_model_call_duration_seconds", Help: "How long calls to models took, in seconds.",
		Buckets: []float64{0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60}}, []string{"tier", "model"})
	all.registry.MustRegister(m.took, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "moorgate_model_calls_in_flight",
		Help: "Calls to models of which the audit log has the beginning and not yet the end."}, func() float64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		return float64(len(m.open))
	}))
}

// exchange counts one record of a call. One that is neither answered nor failed is the beginning, and nothing but in flight.
func (m *modelMetrics) exchange(x gate.Exchange) {
	if x.Answered == "" && x.Failed == "" {
		m.begin(x)
		return
	}
	tier, model := closed(tiers, x.Tier), m.end(x)
	outcome := outcomeOf(x)
	m.calls.WithLabelValues(tier, model, closedPrompt(x.Prompt), outcome).Inc()
	for kind, n := range map[string]int{"in": x.TokensIn, "cached": x.TokensCached, "out": x.TokensOut} {
		m.tokens.WithLabelValues(tier, model, kind).Add(float64(max(n, 0))) // an endpoint may count below nothing
	}
	m.cost.WithLabelValues(tier, model).Add(float64(max(x.MicroUSD, 0)) / 1e6)
	m.took.WithLabelValues(tier, model).Observe(max(x.Took, 0).Seconds())
	if outcome == string(advise.FailedRefusal) || outcome == string(advise.FailedFilter) {
		m.refusals.WithLabelValues(tier, model).Inc()
	}
}

func (m *modelMetrics) begin(x gate.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.open) < openMost {
		m.open[x.ID] = x.Model
	}
}

// end is the model that was asked, by its name in the configuration: an endpoint may call it anything in its answer.
func (m *modelMetrics) end(x gate.Exchange) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	name, begun := m.open[x.ID]
	delete(m.open, x.ID)
	if !begun {
		name = x.Model
	}
	return closed(m.names, name)
}

// opinion counts what models did for a verdict.
func (m *modelMetrics) opinion(face string, a gate.Assessment) {
	if a.Escalated != "" {
		m.escalations.WithLabelValues(face, classed(escalated, a.Escalated)).Inc()
	}
	if a.Alone != "" {
		m.alone.WithLabelValues(face, alone(a.Alone)).Inc()
		return
	}
	if !slices.Contains(strings.Split(a.Advisor, "+"), "model") {
		return
	}
	m.opinions.WithLabelValues(face).Inc()
	for _, f := range a.Findings {
		if f.Nature == gate.Advised {
			m.findings.WithLabelValues(face).Inc()
		}
	}
	m.ungrounded.WithLabelValues(face).Add(float64(max(a.Ungrounded, 0)))
	if looks, known := a.Agreement.Get(); known && looks < 100 {
		m.disagreements.WithLabelValues(face).Inc()
	}
}

// The closed lists of labels about models.
var (
	tiers    = []string{string(advise.Triage), string(advise.Expert)}
	failures = []string{string(advise.FailedKey), string(advise.FailedModel), string(advise.FailedRequest), string(advise.FailedRate), string(advise.FailedQuota),
		string(advise.FailedServer), string(advise.FailedReach), string(advise.FailedTLS), string(advise.FailedTime), string(advise.FailedRedirect), string(advise.FailedContent),
		string(advise.FailedCut), string(advise.FailedFilter), string(advise.FailedRefusal), string(advise.FailedAnswer), string(advise.FailedBudget),
		string(advise.FailedConcurrency), string(advise.FailedBreaker), string(advise.FailedRecord), string(advise.FailedCassette)}
	promptNames = []string{"readiness", "intent", "incident"}
)

// class is a label for texts that begin in one way.
type class struct{ begins, label string }

var (
	escalated = []class{{"the Guardrail asks the expert", "guardrail"}, {"triage is unsure", "unsure"}, {"the samples of triage disagree", "disagreement"},
		{"the confidence in triage", "confidence"}, {"triage gave no answer", "no-answer"}}
	withoutModel = []class{{"no model is configured", "not-configured"}, {"the Guardrail asks no model", "guardrail"}, {"nothing was left open", "settled"}, {"no model is asked while a request waits", "request-waits"}, {"a model is being asked", "pending"},
		{"no model answered within", string(advise.FailedTime)}, {"off the record", "off-record"}}
)

func classed(list []class, text string) string {
	for _, c := range list {
		if strings.HasPrefix(text, c.begins) {
			return c.label
		}
	}
	return otherLabel
}

// alone is the class of why no model had a part: one of ours, or the kind of failure that the text begins with.
func alone(why string) string {
	if label := classed(withoutModel, why); label != otherLabel {
		return label
	}
	kind, _, _ := strings.Cut(why, ":")
	return closed(failures, kind)
}

// outcomeOf is what came of a call. Failed begins with the kind of failure.
func outcomeOf(x gate.Exchange) string {
	if x.Failed == "" {
		return "answered"
	}
	kind, _, _ := strings.Cut(x.Failed, ":")
	return closed(failures, kind)
}

// closedPrompt is the name of a prompt of ours with a version of at most two digits.
func closedPrompt(name string) string {
	prompt, version, _ := strings.Cut(name, "@")
	if !slices.Contains(promptNames, prompt) || version == "" || len(version) > 2 || strings.Trim(version, "0123456789") != "" {
		return otherLabel
	}
	return name
}
