package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"moorgate.dev/drift"
	"moorgate.dev/internal/gate"
)

// paper is a recorder that keeps records in memory.
type paper struct {
	recorder
	records []gate.Record
	full    bool
}

func (p *paper) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	if p.full {
		return gate.Position{}, errors.New("no space left on device")
	}
	p.records = append(p.records, r)
	return gate.Position{Log: "paper", Sequence: uint64(len(p.records))}, nil
}

func (p *paper) PutBlob(_ context.Context, content []byte) (string, error) {
	return fmt.Sprintf("sha256:%d", len(content)), nil
}

// everyRecord is at least one Record for every metric.
func everyRecord() []gate.Record {
	done := gate.OutcomeDone
	evict := &gate.Action{Verb: "evict"}
	hurt := &gate.Signal{Face: gate.FaceRemediate}
	asked := gate.Exchange{ID: "1", Model: "small-1", Tier: "triage", Prompt: "incident@1", Asked: "sha256:1"}
	answered := asked
	answered.Model, answered.Answered, answered.TokensIn, answered.TokensCached, answered.TokensOut, answered.MicroUSD, answered.Took = "small-1-2026-11-01", "sha256:2", 900, 300, 40, 1500, 3*time.Second
	open, expert := asked, asked
	open.ID = "2"
	expert.ID, expert.Tier, expert.Model = "3", "expert", "large-1"
	refused := expert
	refused.Failed, refused.TokensIn = "refusal: the model declined", 10
	var records []gate.Record
	for _, x := range []gate.Exchange{asked, answered, open, expert, refused} {
		records = append(records, gate.Record{Kind: gate.RecordModel, Correlation: "shop/case", Model: &x})
	}
	joined := gate.Assessment{Advisor: "causes+model", Ungrounded: 2, Escalated: "triage is unsure", Agreement: gate.Known(67),
		Findings: []gate.Finding{{ID: "crash"}, {ID: "model-1", Nature: gate.Advised}}}
	lonely := gate.Assessment{Advisor: "causes", Alone: "timeout: no answer came in time"}
	return append(records,
		gate.Record{Kind: gate.RecordVerdict, Signal: hurt, Assessment: &joined, Verdict: &gate.Verdict{Decision: gate.Hold}},
		gate.Record{Kind: gate.RecordVerdict, Signal: hurt, Assessment: &lonely, Verdict: &gate.Verdict{Decision: gate.Allow}},
		gate.Record{Kind: gate.RecordIntent, Action: evict}, gate.Record{Kind: gate.RecordOutcome, Action: evict, Outcome: &done},
		gate.Record{Kind: gate.RecordVerification, Result: gate.ResultHealed}, gate.Record{Kind: gate.RecordVerification, Rollout: &gate.Rollout{Said: "Warned", Outcome: gate.RolloutCrashed}}, gate.Record{Kind: "from-tomorrow", Text: "x"})
}

// scrape is what Prometheus gets.
func scrape(t *testing.T, m *metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("scraping: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func counted(t *testing.T) (*metrics, *paper, string) {
	t.Helper()
	m, log := newMetrics("small-1", "large-1"), &paper{}
	for _, r := range everyRecord() {
		if _, err := (metered{log, m}).Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	m.drift.watchPulls(func(context.Context) (int, error) { return 2, nil })
	m.drift.watch(func() []drift.Standing {
		return []drift.Standing{{Cause: drift.CausePerson, Since: time.Now().Add(-time.Hour)}, {Cause: drift.CausePerson, Since: time.Now()}, {Cause: "odd", Since: time.Now()}}
	}, func() map[string]int { return map[string]int{drift.DeliveryUnsupported: 2} })
	log.full = true
	if _, err := (metered{log, m}).Append(t.Context(), gate.Record{Kind: gate.RecordIntent}); err == nil {
		t.Fatal("a full log took a record")
	}
	return m, log, scrape(t, m)
}

func TestMetricsSayWhatTheLogSays(t *testing.T) {
	_, log, text := counted(t)
	if len(log.records) != len(everyRecord()) {
		t.Fatalf("%d records were written", len(log.records))
	}
	for _, line := range []string{
		`moorgate_records_total{kind="model"} 5`, `moorgate_records_total{kind="other"} 1`, `moorgate_records_unwritten_total{kind="intent"} 1`,
		`moorgate_verdicts_total{decision="Hold",face="remediate"} 1`, `moorgate_verdicts_total{decision="Allow",face="remediate"} 1`,
		`moorgate_intents_total{verb="evict"} 1`, `moorgate_outcomes_total{outcome="done",verb="evict"} 1`, `moorgate_verifications_total{result="healed"} 1`,
		`moorgate_model_calls_total{model="small-1",outcome="answered",prompt="incident@1",tier="triage"} 1`,
		`moorgate_model_calls_total{model="large-1",outcome="refusal",prompt="incident@1",tier="expert"} 1`,
		`moorgate_model_tokens_total{kind="in",model="small-1",tier="triage"} 900`, `moorgate_model_tokens_total{kind="cached",model="small-1",tier="triage"} 300`,
		`moorgate_model_tokens_total{kind="out",model="small-1",tier="triage"} 40`, `moorgate_model_tokens_total{kind="in",model="large-1",tier="expert"} 10`,
		`moorgate_model_cost_usd_total{model="small-1",tier="triage"} 0.0015`, `moorgate_model_call_duration_seconds_bucket{model="small-1",tier="triage",le="4"} 1`,
		`moorgate_model_call_duration_seconds_bucket{model="small-1",tier="triage",le="2"} 0`, `moorgate_model_calls_in_flight 1`,
		`moorgate_model_refusals_total{model="large-1",tier="expert"} 1`, `moorgate_model_opinions_total{face="remediate"} 1`,
		`moorgate_model_alone_total{face="remediate",reason="timeout"} 1`, `moorgate_model_findings_total{face="remediate"} 1`,
		`moorgate_model_ungrounded_findings_total{face="remediate"} 2`, `moorgate_model_escalations_total{face="remediate",reason="unsure"} 1`,
		`moorgate_model_disagreements_total{face="remediate"} 1`, `moorgate_drift_objects{class="changed-by-person"} 2`,
		`moorgate_drift_deliveries{class="unsupported"} 2`, `moorgate_drift_deliveries{class="compared"} 0`, `moorgate_drift_objects{class="other"} 1`, `moorgate_drift_objects{class="accident"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s in\n%s", line, ours(text))
		}
	}
}

// ours are the lines of a scrape that are about Moorgate.
func ours(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return !strings.HasPrefix(l, "moorgate_") }), "\n")
}

// Whatever stands in records, the series stay few: a label is from a closed list or the configuration.
func TestLabelsAreBounded(t *testing.T) {
	m := newMetrics("small-1")
	for i := range 500 {
		odd := fmt.Sprintf("odd-%d\n{}", i)
		x := gate.Exchange{ID: odd, Model: odd, Tier: odd, Prompt: "incident@" + odd, Failed: odd + ": text", Escalated: odd, TokensIn: -i, TokensOut: -1, MicroUSD: -1, Took: -1}
		a := gate.Assessment{Advisor: odd + "+model", Escalated: odd, Ungrounded: -i, Agreement: gate.Known(i)}
		alone := gate.Assessment{Advisor: odd, Alone: odd}
		outcome := gate.Outcome(i)
		signal := &gate.Signal{Face: gate.Face(odd), Subject: gate.Ref{Namespace: odd, Name: odd}}
		action := &gate.Action{Verb: odd}
		for _, r := range []gate.Record{{Kind: gate.RecordKind(odd)}, {Kind: gate.RecordModel, Model: &x}, {Kind: gate.RecordModel}, {Kind: gate.RecordVerdict},
			{Kind: gate.RecordVerdict, Signal: signal, Assessment: &a, Verdict: &gate.Verdict{Decision: gate.Decision(i)}}, {Kind: gate.RecordVerdict, Signal: signal, Assessment: &alone},
			{Kind: gate.RecordIntent, Action: action}, {Kind: gate.RecordOutcome, Action: action, Outcome: &outcome}, {Kind: gate.RecordVerification, Result: gate.Result(odd)}} {
			m.count(r)
		}
	}
	text := ours(scrape(t, m))
	if strings.Contains(text, "odd-") {
		t.Errorf("a label is what came from outside:\n%s", text)
	}
	if n := strings.Count(text, "\n"); n > 60 {
		t.Errorf("%d series of odd records:\n%s", n, text)
	}
}

func TestCallsThatNeverEndAreBounded(t *testing.T) {
	m := newMetrics("small-1")
	for i := range 2 * openMost {
		m.model.exchange(gate.Exchange{ID: fmt.Sprint(i), Model: "small-1"})
	}
	if text := scrape(t, m); !strings.Contains(text, fmt.Sprintf("moorgate_model_calls_in_flight %d\n", openMost)) {
		t.Error("calls that never end are kept without bound")
	}
}

func TestMetricsAreNamedAsPrometheusWants(t *testing.T) {
	_, _, text := counted(t)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "moorgate_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

const metricsTable = "testdata/metrics.md"

var (
	helps      = regexp.MustCompile(`(?m)^# HELP (moorgate_\S+) (.*)$`)
	labelNames = regexp.MustCompile(`(\w+)="`)
)

// tableOf is the table of all that is scraped, as people read it.
func tableOf(text string) string {
	table := "| metric | labels | what it counts |\n|---|---|---|\n"
	for _, h := range helps.FindAllStringSubmatch(text, -1) {
		series := regexp.MustCompile(`(?m)^` + h[1] + `(?:_bucket)?(\{.*\})? `).FindString(text)
		var names []string
		for _, l := range labelNames.FindAllStringSubmatch(series, -1) {
			if l[1] != "le" {
				names = append(names, l[1])
			}
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", h[1], strings.Join(names, ", "), h[2])
	}
	return table
}

// registered are the names of all metrics of ours, scraped or not.
func registered(t *testing.T, m *metrics) []string {
	t.Helper()
	all := make(chan *prometheus.Desc, 256)
	m.registry.Describe(all)
	close(all)
	var names []string
	for d := range all {
		if name := regexp.MustCompile(`"(moorgate_[a-z_]+)"`).FindStringSubmatch(d.String()); name != nil {
			names = append(names, name[1])
		}
	}
	slices.Sort(names)
	return names
}

// The table that people read names every metric that is registered and no other, and every one of them is there when scraped.
func TestEveryMetricIsDocumentedAndThere(t *testing.T) {
	m, _, text := counted(t)
	table := tableOf(text)
	if *update {
		if err := os.WriteFile(metricsTable, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(metricsTable)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(table)) {
		t.Errorf("%s is not what is registered (-update writes it):\n%s", metricsTable, table)
	}
	var named []string
	for _, n := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(string(want), -1) {
		named = append(named, n[1])
	}
	slices.Sort(named)
	if all := registered(t, m); len(all) < 18 || !slices.Equal(named, all) {
		t.Errorf("documented %v\nregistered %v", named, all)
	}
}

// TestEveryKindOfFailureIsALabel reads the kinds where they are declared, so that a new one is not "other".
func TestEveryKindOfFailureIsALabel(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../advise/model.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "FailureKind" {
				kinds = append(kinds, strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`))
			}
		}
		return true
	})
	slices.Sort(kinds)
	known := slices.Sorted(slices.Values(failures))
	if len(kinds) < 20 || !slices.Equal(kinds, known) {
		t.Errorf("declared %v\nlabels   %v", kinds, known)
	}
}

func TestBlobsPassTheMeter(t *testing.T) {
	m := metered{&paper{}, newMetrics()}
	if d, err := m.PutBlob(t.Context(), []byte("abc")); err != nil || d != "sha256:3" {
		t.Errorf("%q, %v", d, err)
	}
	if _, err := (metered{struct{ recorder }{}, newMetrics()}).PutBlob(t.Context(), nil); err == nil {
		t.Error("a recorder that keeps no blobs kept one")
	}
}

func TestTheLogUnderAMeterIsFound(t *testing.T) {
	own := &auditLog{}
	for name, r := range map[string]recorder{"plain": own, "metered": metered{own, newMetrics()}} {
		if l, ok := ownLog(r); !ok || l != own {
			t.Errorf("%s: the log is not found", name)
		}
	}
	if _, ok := ownLog(metered{&paper{}, newMetrics()}); ok {
		t.Error("what is no log of our own is taken for one")
	}
}
