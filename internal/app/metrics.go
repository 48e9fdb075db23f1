package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/notify"
	"moorgate.dev/webhook"
)

// The law: metrics come from Records through one hook, so that they cannot disagree with the audit log. What is not in the log is
// not counted, and what could not be written is counted as just that. Every label is from a closed list or from the configuration;
// whatever else comes is "other". No label names a namespace, a workload or a Case.

// metrics are the numbers of one process.
type metrics struct {
	registry *prometheus.Registry

	records       *prometheus.CounterVec
	unwritten     *prometheus.CounterVec
	verdicts      *prometheus.CounterVec
	intents       *prometheus.CounterVec
	outcomes      *prometheus.CounterVec
	verifications *prometheus.CounterVec
	rollouts      *prometheus.CounterVec
	model         modelMetrics
	drift         *driftMetrics
	fluxEvents    *prometheus.CounterVec // of which there is no Record: what they say stands on a Case
	notifications *prometheus.CounterVec // likewise
	alerts        *prometheus.CounterVec // of which there is none either: they are a reason to look, and what is seen is on record
}

// newMetrics makes the numbers of a process that asks the given models, by the names in its configuration.
func newMetrics(models ...string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.records = m.counter("moorgate_records_total", "Records written to the audit log.", "kind")
	m.unwritten = m.counter("moorgate_records_unwritten_total", "Records that the audit log did not take.", "kind")
	m.verdicts = m.counter("moorgate_verdicts_total", "Questions decided, by face and decision.", "face", "decision")
	m.intents = m.counter("moorgate_intents_total", "Actions that were about to be carried out, by verb.", "verb")
	m.outcomes = m.counter("moorgate_outcomes_total", "What came of actions.", "verb", "outcome")
	m.verifications = m.counter("moorgate_verifications_total", "How workloads fared after actions.", "result")
	m.rollouts = m.counter("moorgate_rollouts_total", "What became of rollouts that were let in, by the answer at the gate.", "said", "outcome")
	m.fluxEvents = m.counter("moorgate_flux_events_total", "Events for Flux's notification-controller (--flux-events), by what became of them: sent, failed, or dropped because too many waited.", "result")
	m.notifications = m.counter("moorgate_notifications_total", "Messages to receivers (--receivers), by their kind and what became of them: sent, failed (it is tried again), refused, or no-such-receiver where a Guardrail names one that is not listed.", "kind", "result")
	for _, kind := range notify.Kinds() {
		for _, result := range []string{notify.Sent, notify.Failed, notify.Refused} {
			m.notifications.WithLabelValues(kind, result)
		}
	}
	for _, result := range notify.Results() {
		m.fluxEvents.WithLabelValues(result)
	}
	m.alerts = m.counter("moorgate_alerts_total", "What alerts from Alertmanager named, by what became of it: look, left to the sweep, or unknown where an alert names nothing.", "result")
	for _, result := range []string{alertLook, alertLeft, alertUnknown} {
		m.alerts.WithLabelValues(result)
	}
	m.model.register(m, models)
	m.drift = newDriftMetrics()
	m.registry.MustRegister(m.drift)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "moorgate_build_version", Help: "1, with the version that runs.", ConstLabels: prometheus.Labels{"version": version()}})
	build.Set(1)
	m.registry.MustRegister(build)
	return m
}

// know has calls counted under the names of these models, which are those in the configuration.
func (m *metrics) know(models ...string) { m.model.names = models }

func (m *metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// ServeHTTP serves the numbers to Prometheus. Nil metrics have none.
func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m == nil {
		http.NotFound(w, r)
		return
	}
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}).ServeHTTP(w, r)
}

// alert counts what alerts named.
func (m *metrics) alert(result string, n int) { m.alerts.WithLabelValues(result).Add(float64(n)) }

// count counts a Record that was written.
func (m *metrics) count(r gate.Record) {
	m.records.WithLabelValues(closed(kindsOfRecord, string(r.Kind))).Inc()
	switch r.Kind {
	case gate.RecordVerdict:
		m.verdict(r)
	case gate.RecordModel:
		if r.Model != nil {
			m.model.exchange(*r.Model)
		}
	case gate.RecordIntent:
		m.intents.WithLabelValues(verbOf(r)).Inc()
	case gate.RecordOutcome:
		outcome := gate.OutcomeUnknown
		if r.Outcome != nil {
			outcome = *r.Outcome
		}
		m.outcomes.WithLabelValues(verbOf(r), outcome.String()).Inc()
	case gate.RecordVerification:
		if r.Rollout != nil {
			m.rollouts.WithLabelValues(closed(answers, r.Rollout.Said), closed(gate.RolloutOutcomes(), r.Rollout.Outcome)).Inc()
			return
		}
		m.verifications.WithLabelValues(closed(results, string(r.Result))).Inc()
	}
}

func (m *metrics) verdict(r gate.Record) {
	face := otherLabel
	if r.Signal != nil {
		face = closed(faces, string(r.Signal.Face))
	}
	if r.Verdict != nil {
		m.verdicts.WithLabelValues(face, r.Verdict.Decision.String()).Inc()
	}
	if r.Assessment != nil {
		m.model.opinion(face, *r.Assessment)
	}
}

const otherLabel = "other"

// The closed lists of labels.
var (
	kindsOfRecord = []string{string(gate.RecordVerdict), string(gate.RecordModel), string(gate.RecordApproval), string(gate.RecordIntent), string(gate.RecordOutcome),
		string(gate.RecordVerification), string(gate.RecordPullRequest), string(gate.RecordNotification), string(gate.RecordNote)}
	faces   = []string{string(gate.FaceWebhook), string(gate.FaceDrift), string(gate.FaceRemediate)}
	results = []string{string(gate.ResultRefused), string(gate.ResultUnknown), string(gate.ResultDone), string(gate.ResultHealed), string(gate.ResultIneffective), string(gate.ResultWorsened)}
	answers = []string{webhook.Admitted, webhook.Warned, webhook.SlippedThrough}
	verbs   = []string{"admit", "annotate", "pull-request", "evict", "roll-back", "hold-delivery", "release-delivery", "escalate", "nothing"}
)

// closed is a label from a closed list.
func closed(list []string, v string) string {
	for _, known := range list {
		if v == known {
			return known
		}
	}
	return otherLabel
}

func verbOf(r gate.Record) string {
	if r.Action == nil {
		return otherLabel
	}
	return closed(verbs, r.Action.Verb)
}

// metered is a recorder of which every Record is counted once it is written.
type metered struct {
	recorder
	metrics *metrics
}

// Append writes a Record and counts it.
func (m metered) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	at, err := m.recorder.Append(ctx, r)
	if err != nil {
		m.metrics.unwritten.WithLabelValues(closed(kindsOfRecord, string(r.Kind))).Inc()
		return at, err
	}
	m.metrics.count(r)
	return at, nil
}

// PutBlob keeps the content of a blob, where the recorder keeps blobs.
func (m metered) PutBlob(ctx context.Context, content []byte) (string, error) {
	if b, ok := m.recorder.(blobs); ok {
		return b.PutBlob(ctx, content)
	}
	return "", errors.New("keep a blob: this process hands its records to another, which takes none")
}

type blobs interface {
	PutBlob(ctx context.Context, content []byte) (string, error)
}

// recorded is where what models are asked is written, so that it is counted too.
func (p *process) recorded(own advise.Log) advise.Log {
	if m, ok := p.log.(metered); ok {
		return m
	}
	return own
}

// ownLog is the log that a recorder writes to itself, if it does.
func ownLog(r recorder) (*auditLog, bool) {
	if m, ok := r.(metered); ok {
		r = m.recorder
	}
	l, ok := r.(*auditLog)
	return l, ok
}
