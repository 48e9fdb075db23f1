package advise

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// EndpointOptions are what an Endpoint must be told. Nothing else is asked: no environment variable changes where it sends.
type EndpointOptions struct {
	URL   string // up to where /chat/completions follows: https://api.openai.com/v1
	Model string // as the endpoint calls it
	// Key is asked for at each call, so that it can be rotated. nil: none is sent.
	Key func() (string, error)
	// KeyHeader sends it as api-key, as Azure OpenAI wants it, in place of Authorization: Bearer.
	KeyHeader  bool
	APIVersion string         // the query api-version that Azure OpenAI wants; empty: none
	Roots      *x509.CertPool // nil: the system's
	Proxy      *url.URL       // nil: none
	Timeout    time.Duration  // of one call; 0: 30 s
	Price      Price
	Now        func() time.Time
}

// The bounds of a call.
const (
	callTimeout = 30 * time.Second
	answerBytes = 2 << 20 // of a response, unpacked
	learntFor   = time.Hour
)

// Endpoint is a Model that speaks Chat Completions: OpenAI, Azure OpenAI, vLLM, Ollama, llama.cpp, LM Studio. What it cannot do is
// found out by asking, remembered for an hour, and said in each answer.
type Endpoint struct {
	o    EndpointOptions
	http *http.Client

	lock    sync.Mutex
	learnt  abilities
	learned time.Time
}

// abilities are what is left out because the endpoint said that it does not know it.
type abilities struct {
	format    int  // 0: a strict schema, 1: a JSON object, 2: nothing
	oldTokens bool // max_tokens in place of max_completion_tokens
}

// NewEndpoint makes an Endpoint. It sends nothing.
func NewEndpoint(o EndpointOptions) *Endpoint {
	if o.Timeout <= 0 {
		o.Timeout = callTimeout
	}
	return &Endpoint{o: o, http: newHTTP(o)}
}

// Ask asks once, and at once again without what the endpoint says that it does not know.
func (e *Endpoint) Ask(ctx context.Context, p Prompt) (Answer, error) {
	for {
		can := e.can()
		a, f := e.try(ctx, p, can)
		if f == nil {
			return a, nil
		}
		less, ok := can.without(f)
		if !ok {
			return Answer{}, f
		}
		e.learn(less) // at most three times: then there is nothing left to leave out
	}
}

func (e *Endpoint) can() abilities {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.o.Now().Sub(e.learned) > learntFor {
		e.learnt = abilities{}
	}
	return e.learnt
}

func (e *Endpoint) learn(a abilities) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.learnt, e.learned = a, e.o.Now()
}

// without is what to ask with instead, where a failure says that a parameter is not known.
func (a abilities) without(f *Failure) (abilities, bool) {
	if f.Kind != FailedRequest {
		return a, false
	}
	says := strings.ToLower(f.Text)
	switch {
	case !a.oldTokens && strings.Contains(says, "max_completion_tokens"):
		a.oldTokens = true
	case a.format < 2 && (strings.Contains(says, "response_format") || strings.Contains(says, "json_schema") || strings.Contains(says, "json_object") || strings.Contains(says, "strict")):
		a.format++
	default:
		return a, false
	}
	return a, true
}

// degraded says what is left out.
func (a abilities) degraded() []string {
	var out []string
	if a.format > 0 {
		out = append(out, [...]string{1: "the endpoint takes no strict schema: the answer is a JSON object and checked here", 2: "the endpoint takes no format: the answer is asked for in words and checked here"}[a.format])
	}
	if a.oldTokens {
		out = append(out, "the endpoint does not know max_completion_tokens: max_tokens is sent")
	}
	return out
}

// try asks once.
func (e *Endpoint) try(ctx context.Context, p Prompt, can abilities) (Answer, *Failure) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	options, f := e.options()
	if f != nil {
		return Answer{}, f
	}
	service := openai.NewChatCompletionService(options...)
	done, err := service.New(ctx, e.params(p, can))
	if err != nil {
		return Answer{}, e.failure(ctx, err)
	}
	return e.read(p, done, can)
}

// options are all that a call is told. The service is made without the SDK's defaults, which come from the environment.
func (e *Endpoint) options() ([]option.RequestOption, *Failure) {
	options := []option.RequestOption{option.WithBaseURL(strings.TrimRight(e.o.URL, "/") + "/"), option.WithHTTPClient(e.http), option.WithMaxRetries(0)}
	if e.o.APIVersion != "" {
		options = append(options, option.WithQuery("api-version", e.o.APIVersion))
	}
	if e.o.Key == nil {
		return options, nil
	}
	key, err := e.o.Key()
	if err != nil {
		return nil, &Failure{Kind: FailedKey, Text: "the key cannot be read: " + err.Error()}
	}
	if e.o.KeyHeader {
		return append(options, option.WithHeader("api-key", key)), nil
	}
	return append(options, option.WithHeader("Authorization", "Bearer "+key)), nil
}

func (e *Endpoint) params(p Prompt, can abilities) openai.ChatCompletionNewParams {
	user := p.User
	params := openai.ChatCompletionNewParams{Model: e.o.Model}
	if can.oldTokens {
		params.MaxTokens = openai.Int(int64(p.MaxTokens))
	} else {
		params.MaxCompletionTokens = openai.Int(int64(p.MaxTokens))
	}
	switch can.format {
	case 0:
		params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: "assessment", Strict: openai.Bool(true), Schema: p.Schema}}
	case 1:
		params.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
		fallthrough
	default:
		user += "\n\nAnswer with one JSON object that fits this schema, and with nothing else:\n" + string(p.Schema)
	}
	params.Messages = []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(p.System), openai.UserMessage(user)}
	return params
}

// read makes an Answer of a completion.
func (e *Endpoint) read(p Prompt, c *openai.ChatCompletion, can abilities) (Answer, *Failure) {
	a := Answer{Model: e.o.Model, Degraded: can.degraded(), Usage: Usage{In: int(c.Usage.PromptTokens), Cached: int(c.Usage.PromptTokensDetails.CachedTokens), Out: int(c.Usage.CompletionTokens)}}
	if a.Usage.In <= 0 || a.Usage.Out < 0 {
		a.Usage = Bound(p)
		a.Degraded = append(a.Degraded, "the endpoint says nothing about tokens: the most that it can have cost is counted")
	}
	a.MicroUSD = e.o.Price.MicroUSD(a.Usage)
	fail := func(kind FailureKind, text string) (Answer, *Failure) {
		return Answer{}, &Failure{Kind: kind, Text: text, Usage: a.Usage, MicroUSD: a.MicroUSD}
	}
	if len(c.Choices) == 0 {
		return fail(FailedContent, "the answer holds no choice: is this a Chat Completions endpoint?")
	}
	choice := c.Choices[0]
	switch {
	case choice.Message.Refusal != "":
		return fail(FailedRefusal, "the model declined to answer")
	case choice.FinishReason == "content_filter":
		return fail(FailedFilter, "the endpoint's content filter held the answer back")
	case choice.FinishReason == "length":
		return fail(FailedCut, "the answer was longer than the tokens allowed for it: raise tokensOut")
	case strings.TrimSpace(choice.Message.Content) == "":
		return fail(FailedContent, "the answer is empty")
	}
	a.Text = choice.Message.Content
	return a, nil
}
