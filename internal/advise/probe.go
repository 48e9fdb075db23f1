package advise

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/openai/openai-go/v3"

	"moorgate.dev/internal/advise/sift"
)

// State is how one thing fares that an endpoint was probed for.
type State string

// The states.
const (
	StateOK       State = "ok"
	StateDegraded State = "degraded" // Moorgate does without
	StateFailed   State = "failed"
	StateUnknown  State = "unknown" // it does not say
)

// Check is one thing that an endpoint was probed for.
type Check struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	Text  string `json:"text"`
}

// Report is what came of probing an endpoint.
type Report struct {
	Model    string  `json:"model"`
	Checks   []Check `json:"checks"`
	Usage    Usage   `json:"usage"` // of all that was asked
	MicroUSD int64   `json:"microUSD"`
}

// Worst is the worst state of all checks; what is unknown is none.
func (r Report) Worst() State {
	worst := StateOK
	for _, c := range r.Checks {
		if c.State == StateFailed || c.State == StateDegraded && worst == StateOK {
			worst = c.State
		}
	}
	return worst
}

// Probe finds out what an endpoint can do by asking it a handful of small questions, and one as large as questions may get: room is
// that in tokens. It costs a little more than room in tokens. Where the endpoint does not answer at all, that is all that is said.
func Probe(ctx context.Context, o EndpointOptions, room int) Report {
	p := prober{endpoint: NewEndpoint(o), report: Report{Model: o.Model}}
	if !p.answers(ctx) {
		p.names(ctx)
		return p.report
	}
	p.strict(ctx)
	p.tokens()
	p.cache(ctx)
	p.logprobs(ctx)
	p.room(ctx, room)
	return p.report
}

type prober struct {
	endpoint *Endpoint
	report   Report
	first    Answer
}

func (p *prober) say(name string, state State, format string, args ...any) {
	p.report.Checks = append(p.report.Checks, Check{name, state, fmt.Sprintf(format, args...)})
}

// probeSchema is a schema that nobody fits by chance.
const probeSchema = `{"type":"object","additionalProperties":false,"required":["colour","count"],"properties":{"colour":{"type":"string","enum":["heliotrope"]},"count":{"type":"integer","enum":[41]}}}`

func probePrompt(user string) Prompt {
	return Prompt{Name: "probe", Tier: Triage, Sample: 1, System: "You are being tested by a program. Answer as you are told to.", User: user, Schema: json.RawMessage(probeSchema), MaxTokens: probeTokens}
}

// probeTokens is how long an answer to a probe may be, with what a model thinks before it.
const probeTokens = 600

func (p *prober) ask(ctx context.Context, prompt Prompt) (Answer, *Failure) {
	a, err := p.endpoint.Ask(ctx, prompt)
	var f *Failure
	if err != nil {
		f, _ = err.(*Failure) //nolint:errorlint // an Endpoint fails with nothing else
		a.Usage, a.MicroUSD = f.Usage, f.MicroUSD
	}
	p.report.Usage = Usage{In: p.report.Usage.In + a.Usage.In, Cached: p.report.Usage.Cached + a.Usage.Cached, Out: p.report.Usage.Out + a.Usage.Out}
	p.report.MicroUSD += a.MicroUSD
	return a, f
}

func (p *prober) answers(ctx context.Context) bool {
	a, f := p.ask(ctx, probePrompt(`Answer with the JSON object {"colour":"heliotrope","count":41}.`))
	if f != nil {
		p.say("answers", StateFailed, "%s", f.Error())
		return false
	}
	p.first = a
	p.say("answers", StateOK, "it answers")
	return true
}

// strict asks for something else than the schema, which only an endpoint that holds a model to it can withstand.
func (p *prober) strict(ctx context.Context) {
	for _, text := range p.first.Degraded {
		if strings.Contains(text, "schema") || strings.Contains(text, "format") {
			p.say("strict schema", StateDegraded, "%s", text)
			return
		}
	}
	a, f := p.ask(ctx, probePrompt(`Answer with the single word hello, without any JSON.`))
	var got struct {
		Colour string
		Count  int
	}
	switch {
	case f != nil:
		p.say("strict schema", StateUnknown, "%s", f.Error())
	case json.Unmarshal([]byte(a.Text), &got) != nil || got.Colour != "heliotrope" || got.Count != 41:
		p.say("strict schema", StateDegraded, "it takes a schema and does not hold the model to it: answers are checked here, and more of them will be void")
	default:
		p.say("strict schema", StateOK, "the model is held to it")
	}
}

func (p *prober) tokens() {
	for _, text := range p.first.Degraded {
		if strings.Contains(text, "tokens") {
			p.say("tokens", StateDegraded, "%s", text)
		}
	}
	if len(p.report.Checks) > 0 && p.report.Checks[len(p.report.Checks)-1].Name != "tokens" {
		p.say("tokens", StateOK, "%d in and %d out for a small question", p.first.Usage.In, p.first.Usage.Out)
	}
}

// cacheable is long enough for the endpoints that cache what prompts begin with.
var cacheable = strings.Repeat("Nothing in this paragraph matters; it is here to be long enough to be remembered. ", 120)

func (p *prober) cache(ctx context.Context) {
	cached := 0
	for range 2 {
		prompt := probePrompt(`Answer with the JSON object {"colour":"heliotrope","count":41}.`)
		prompt.System += "\n" + cacheable
		a, f := p.ask(ctx, prompt)
		if f != nil {
			p.say("prompt cache", StateUnknown, "%s", f.Error())
			return
		}
		cached = a.Usage.Cached
	}
	if cached == 0 {
		p.say("prompt cache", StateDegraded, "it reports nothing cached: the static part of each question is paid in full")
		return
	}
	p.say("prompt cache", StateOK, "%d tokens of the second question were cached", cached)
}

// logprobs are of no use to Moorgate yet; that it is told is for whoever compares endpoints.
func (p *prober) logprobs(ctx context.Context) {
	options, f := p.endpoint.options()
	if f != nil {
		return
	}
	params := p.endpoint.params(probePrompt(`Answer with the JSON object {"colour":"heliotrope","count":41}.`), p.endpoint.can())
	params.Logprobs = openai.Bool(true)
	service := openai.NewChatCompletionService(options...)
	done, err := service.New(ctx, params)
	if err != nil || len(done.Choices) == 0 || len(done.Choices[0].Logprobs.Content) == 0 {
		p.say("logprobs", StateUnknown, "not offered; Moorgate does not need them")
		return
	}
	p.say("logprobs", StateOK, "offered; Moorgate does not need them")
}

// room asks a question as large as they may get.
func (p *prober) room(ctx context.Context, tokens int) {
	filler := "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
	text := strings.Repeat(filler, max(1, tokens/max(1, sift.Tokens(filler))))
	_, f := p.ask(ctx, probePrompt(text+"\n"+`Answer with the JSON object {"colour":"heliotrope","count":41}.`))
	if f != nil {
		p.say("context size", StateFailed, "a question of %d tokens does not fit, or is not answered: %s; lower tokensIn or raise the context of the server", tokens, f.Text)
		return
	}
	p.say("context size", StateOK, "a question of %d tokens fits", tokens)
}

// names tells which models there are, where the one that was asked for is not.
func (p *prober) names(ctx context.Context) {
	last := p.report.Checks[len(p.report.Checks)-1]
	if !strings.HasPrefix(last.Text, string(FailedModel)) {
		return
	}
	options, f := p.endpoint.options()
	if f != nil {
		return
	}
	service := openai.NewModelService(options...)
	page, err := service.List(ctx)
	if err != nil || len(page.Data) == 0 {
		return
	}
	var list []string
	for i, m := range page.Data {
		if i == 20 {
			list = append(list, fmt.Sprintf("and %d more", len(page.Data)-i))
			break
		}
		list = append(list, m.ID)
	}
	p.say("models", StateUnknown, "the endpoint knows: %s", strings.Join(list, ", "))
}
