package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/remediate/causes"

	"moorgate.dev/remediate"
	"moorgate.dev/webhook"
)

// models is what asks models in this process. A nil one asks none, and says so.
type models struct {
	panel    *advise.Panel
	spend    *advise.Spend
	breakers map[advise.Tier]*advise.Breaker
	unasked  string // why none is asked although one is configured
}

// beside is how a face asks beside its own advisor.
func (m *models) beside() flow.Beside {
	if m == nil {
		return nil
	}
	if m.unasked == "" {
		return m.panel.Beside
	}
	return func(checks flow.Advisor) flow.Advisor {
		return flow.AdvisorFunc(func(ctx context.Context, q flow.Question) gate.Assessment {
			a := checks.Advise(ctx, q)
			a.Alone = m.unasked
			return a
		})
	}
}

const (
	asideAtOnce = 4 // questions to models at once, of webhook and drift
	asideRoom   = 512
	aheadAtOnce = 8 // and of rollouts that wait for the answer
	aheadRoom   = 128
)

// prepareModels reads the configuration of the models, if there is one.
func (p *process) prepareModels(ctx context.Context) error {
	p.aside, p.ahead = flow.NewAside(ctx, asideAtOnce, asideRoom), flow.NewAside(ctx, aheadAtOnce, aheadRoom)
	log, kept := ownLog(p.log)
	if p.model == "" || !kept {
		p.logger.InfoContext(ctx, "no model is configured (--model): checks, causes and drift rules decide alone")
		return nil
	}
	c, err := readModelConfig(p.model)
	if err != nil {
		return err
	}
	p.metrics.know(c.Triage.Model, c.expertName())
	if p.models, err = newModels(c, p.recorded(log), log.door, p.spans.tracer()); err != nil {
		return fmt.Errorf("--model %s: %w", p.model, err)
	}
	if err := p.models.spend.Replay(recordsIn(p.auditDir), time.Now()); err != nil {
		p.models.unasked = "what models cost before cannot be read, so none is asked"
		p.logger.ErrorContext(ctx, p.models.unasked, "error", err)
	}
	p.ready.tell(p.models.state)
	p.logger.InfoContext(ctx, "models are asked about what is left open", "url", c.URL, "triage", c.Triage.Model, "expert", c.expertName())
	return nil
}

func (c *modelConfig) expertName() string {
	if c.Expert == nil {
		return "(none)"
	}
	return c.Expert.Model
}

// newModels puts together what a configuration names. Without a log nothing is recorded: a review at a terminal is nobody's
// decision. It sends nothing yet.
func newModels(c *modelConfig, log advise.Log, door *redact.Door, tracer trace.Tracer) (*models, error) {
	m := &models{spend: advise.NewSpend(c.limits()), breakers: map[advise.Tier]*advise.Breaker{}}
	m.panel = &advise.Panel{Terms: terms(), Door: door, Now: time.Now, Memory: advise.NewMemory(time.Now), Patience: c.Patience.Duration}
	for tier, t := range map[advise.Tier]*tierConfig{advise.Triage: c.Triage, advise.Expert: c.Expert} {
		if t == nil {
			continue
		}
		o, err := c.endpoint(t)
		if err != nil {
			return nil, err
		}
		m.breakers[tier] = &advise.Breaker{Model: c.taped(advise.NewEndpoint(o), door), Now: time.Now}
		var model advise.Model = &advise.Limit{Model: m.breakers[tier], Spend: m.spend, Now: time.Now}
		if log != nil {
			model = advise.Recorded{Next: model, Log: log, Door: door, Now: time.Now, NewID: rand.Text, Named: t.Model}
		}
		model = advise.Traced{Next: model, Tracer: tracer, Named: t.Model}
		bench := advise.Bench{Model: advise.Retry{Next: model, Now: time.Now, Jitter: mathrand.Float64}, Samples: t.Samples, TokensIn: t.TokensIn, TokensOut: t.TokensOut}
		if tier == advise.Triage {
			m.panel.Triage = bench
		} else {
			m.panel.Expert = bench
		}
	}
	return m, nil
}

// taped is a model behind a cassette, where the configuration wants one.
func (c *modelConfig) taped(m advise.Model, door *redact.Door) advise.Model {
	if c.Cassette == nil {
		return m
	}
	modes := map[string]advise.CassetteMode{"replay": advise.CassetteReplay, "record": advise.CassetteRecord, "auto": advise.CassetteAuto}
	return advise.Cassette{Next: m, Folder: c.file(c.Cassette.Folder), Mode: modes[c.Cassette.Mode], Redact: door.Text}
}

// remember has incidents like a new one looked up among past Cases.
func (m *models) remember(cases client.Reader) {
	if m == nil {
		return
	}
	m.panel.Past = reminders(cases)
}

// away says why no model can be asked; empty where one can be.
func (m *models) away() string {
	if m == nil {
		return "no model is configured"
	}
	return m.state()
}

// state says why a model is not asked at the moment, if that is so. It is no reason not to be ready: everything works without one.
func (m *models) state() string {
	if m.unasked != "" {
		return m.unasked
	}
	var texts []string
	for tier, b := range m.breakers {
		if open, why, until := b.State(); open {
			texts = append(texts, fmt.Sprintf("%s is left alone until %s: %s", tier, until.UTC().Format(time.RFC3339), why))
		}
	}
	return strings.Join(texts, "; ")
}

func (c *modelConfig) limits() advise.Limits {
	l := advise.Limits{TokensPerDay: c.Limits.TokensPerDay, MicroUSDPerDay: microUSD(c.Limits.USDPerDay), MicroUSDPerMonth: microUSD(c.Limits.USDPerMonth),
		Concurrent: c.Limits.Concurrent, CallsPerMinute: c.Limits.CallsPerMinute, Prices: map[advise.Tier]advise.Price{}}
	for tier, t := range map[advise.Tier]*tierConfig{advise.Triage: c.Triage, advise.Expert: c.Expert} {
		if t != nil && t.Price != nil {
			l.Prices[tier] = advise.Price(*t.Price)
		}
	}
	return l
}

// endpoint is how one of the models is reached.
func (c *modelConfig) endpoint(t *tierConfig) (advise.EndpointOptions, error) {
	o := advise.EndpointOptions{URL: c.URL, Model: t.Model, KeyHeader: c.Auth == "api-key", APIVersion: c.APIVersion, Timeout: c.Timeout.Duration,
		Now: time.Now}
	if t.Price != nil {
		o.Price = advise.Price(*t.Price)
	}
	if c.KeyFile != "" {
		path := c.file(c.KeyFile)
		o.Key = func() (string, error) {
			b, err := os.ReadFile(path)
			if err == nil && len(strings.TrimSpace(string(b))) == 0 {
				err = errors.New("it is empty")
			}
			if err != nil {
				return "", fmt.Errorf("read keyFile %s: %w", path, err)
			}
			return strings.TrimSpace(string(b)), nil
		}
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.file(c.CAFile))
		if err != nil {
			return o, fmt.Errorf("read caFile: %w", err)
		}
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("read caFile %s: it holds no certificate in PEM", c.CAFile)
		}
	}
	if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return o, fmt.Errorf("proxy: %w", err)
		}
		o.Proxy = proxy
	}
	return o, nil
}

// terms are what the question of each face may be answered with.
func terms() map[gate.Face]prompts.Terms {
	incident := prompts.Terms{Claims: remediate.Claims()}
	for _, c := range causes.All() {
		incident.Causes = append(incident.Causes, prompts.Cause{ID: c.ID, Title: c.Title, Text: c.Text})
	}
	intent := prompts.Terms{Claims: drift.Claims()}
	for _, c := range drift.Intents() {
		intent.Causes = append(intent.Causes, prompts.Cause{ID: c.ID, Title: c.Title, Text: c.Text})
	}
	readiness := prompts.Terms{Claims: webhook.Claims()}
	for _, c := range webhook.Concerns() {
		readiness.Causes = append(readiness.Causes, prompts.Cause{ID: c.ID, Title: c.Title, Text: c.Text})
	}
	return map[gate.Face]prompts.Terms{gate.FaceRemediate: incident, gate.FaceDrift: intent, gate.FaceWebhook: readiness}
}
