package advise

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"moorgate.dev/test/openai"
)

// schemaForTests is a schema of an opinion with two causes.
const schemaForTests = `{"type":"object","additionalProperties":false,"required":["cause","findings","choice","score","confidence","unsure","why"],
"properties":{"cause":{"type":"string","enum":["other","out-of-memory"]},"findings":{"type":"array","items":{"type":"object","additionalProperties":false,
"required":["text","points","evidence","quote","claim"],"properties":{"text":{"type":"string"},"points":{"type":"integer"},"evidence":{"type":"array","items":{"type":"string"}},
"quote":{"type":"string"},"claim":{"anyOf":[{"type":"null"},{"type":"object","additionalProperties":false,"required":["kind","object"],"properties":{"kind":{"type":"string"},"object":{"type":"string"}}}]}}}},
"choice":{"type":"array","items":{"type":"string"}},"score":{"type":"integer"},"confidence":{"type":"integer"},"unsure":{"type":"boolean"},"why":{"type":"string"}}}`

const good = `{"cause":"other","findings":[],"choice":["escalate"],"score":50,"confidence":40,"unsure":false,"why":"nothing is shown"}`

func promptForTests() Prompt {
	return Prompt{Case: "shop/case", Namespace: "shop", Name: "incident@1", Tier: Triage, Sample: 1, System: "rules", User: "question", Schema: json.RawMessage(schemaForTests), MaxTokens: 500}
}

func endpointForTests(s *openai.Server, timeout time.Duration) *Endpoint {
	return NewEndpoint(EndpointOptions{URL: s.Base(), Model: "small", Key: func() (string, error) { return "sk-test", nil }, Timeout: timeout, Price: Price{In: 1, Cached: 0.5, Out: 2}, Now: time.Now})
}

// TestAnswersToSurvive asks through the real SDK over real sockets, and is answered in every way that endpoints were seen to answer.
func TestAnswersToSurvive(t *testing.T) {
	reply := func(r openai.Reply) openai.Reply { return r }
	fault := func(f openai.Fault) openai.Reply { return openai.Reply{Content: good, Fault: &f} }
	for _, row := range []struct {
		name  string
		reply openai.Reply
		want  FailureKind // empty: an answer that can be read
		says  string
	}{
		{"an answer", reply(openai.Reply{Content: good}), "", ""},
		{"an answer in a code fence", reply(openai.Reply{Content: "```json\n" + good + "\n```"}), "", ""},
		{"an answer with white space around it", reply(openai.Reply{Content: "\n  " + good + "\n"}), "", ""},
		{"text before the answer", reply(openai.Reply{Content: "Sure! " + good}), FailedAnswer, ""},
		{"text after the answer", reply(openai.Reply{Content: good + "\nHope this helps."}), FailedAnswer, ""},
		{"two answers", reply(openai.Reply{Content: good + good}), FailedAnswer, ""},
		{"two fences", reply(openai.Reply{Content: "```json\n" + good + "\n```\n```json\n" + good + "\n```"}), FailedAnswer, ""},
		{"an answer that is cut", reply(openai.Reply{Content: good[:40]}), FailedAnswer, ""},
		{"a key that is there twice", reply(openai.Reply{Content: strings.Replace(good, `"score":50`, `"score":50,"score":100`, 1)}), FailedAnswer, "score"},
		{"a key that is there twice, in another case", reply(openai.Reply{Content: strings.Replace(good, `"score":50`, `"score":50,"Score":100`, 1)}), FailedAnswer, ""},
		{"a field that nobody knows", reply(openai.Reply{Content: strings.Replace(good, `"score":50`, `"score":50,"approved":true`, 1)}), FailedAnswer, "approved"},
		{"a field that is missing", reply(openai.Reply{Content: strings.Replace(good, `"unsure":false,`, "", 1)}), FailedAnswer, "schema"},
		{"not a number", reply(openai.Reply{Content: strings.Replace(good, "50", "NaN", 1)}), FailedAnswer, ""},
		{"a number in words", reply(openai.Reply{Content: strings.Replace(good, "50", `"50"`, 1)}), FailedAnswer, ""},
		{"a number with a fraction", reply(openai.Reply{Content: strings.Replace(good, "50", "0.99", 1)}), FailedAnswer, ""},
		{"a cause that is not on the list", reply(openai.Reply{Content: strings.Replace(good, `"other"`, `"gremlins"`, 1)}), FailedAnswer, "/cause"},
		{"a list in place of an object", reply(openai.Reply{Content: "[" + good + "]"}), FailedAnswer, ""},
		{"null", reply(openai.Reply{Content: "null"}), FailedAnswer, ""},
		{"depths without end", reply(openai.Reply{Content: `{"cause":` + strings.Repeat("[", 5000)}), FailedAnswer, ""},
		{"an answer without end", reply(openai.Reply{Content: strings.Repeat("a", answerMax+1)}), FailedAnswer, "bytes"},
		{"nothing", reply(openai.Reply{Content: " "}), FailedContent, "empty"},
		{"a refusal", reply(openai.Reply{Refusal: "I cannot help with that."}), FailedRefusal, ""},
		{"an answer cut by its length", reply(openai.Reply{Content: good[:40], Finish: "length"}), FailedCut, "tokensOut"},
		{"a filter", reply(openai.Reply{Content: "", Finish: "content_filter"}), FailedFilter, ""},
		{"no choices", fault(openai.Fault{Body: `{"id":"x","object":"chat.completion","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`}), FailedContent, "no choice"},
		{"success with an error in it", fault(openai.Fault{Body: `{"error":{"message":"backend is loading","type":"server_error"}}`}), FailedContent, "backend is loading"},
		{"a page", fault(openai.Fault{Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>login</html>"}), FailedContent, "no JSON"},
		{"JSON that is called text", fault(openai.Fault{Header: map[string]string{"Content-Type": "text/plain"}}), FailedContent, ""},
		{"no JSON that is called so", fault(openai.Fault{Body: "<html>login</html>"}), FailedContent, ""},
		{"ten megabytes", fault(openai.Fault{Body: strings.Repeat("x", 1<<20), Repeat: 10}), FailedContent, "larger"},
		{"a stream that is cut", fault(openai.Fault{CutAt: 30}), FailedCut, ""},
		{"a slow drip", fault(openai.Fault{Drip: 50 * time.Millisecond}), FailedTime, ""},
		{"silence", fault(openai.Fault{Hang: true}), FailedTime, ""},
		{"a wrong key", fault(openai.Fault{Status: 401, Error: "Incorrect API key provided: sk-test"}), FailedKey, "keyFile"},
		{"a key that may not", fault(openai.Fault{Status: 403, Error: "no access"}), FailedKey, ""},
		{"a model that is not there", fault(openai.Fault{Status: 404, Error: "The model does not exist", Code: "model_not_found"}), FailedModel, "small"},
		{"too many calls", fault(openai.Fault{Status: 429, Error: "slow down", Header: map[string]string{"Retry-After": "7"}}), FailedRate, ""},
		{"a quota that is used up", fault(openai.Fault{Status: 429, Error: "You exceeded your current quota", Code: "insufficient_quota"}), FailedQuota, "waiting"},
		{"a failure of the server", fault(openai.Fault{Status: 500, Error: "oops"}), FailedServer, "500"},
		{"a gateway", fault(openai.Fault{Status: 502, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>bad gateway</html>"}), FailedServer, "502"},
		{"a redirect", fault(openai.Fault{Status: 307, Header: map[string]string{"Location": "http://127.0.0.1:1/v1/chat/completions"}}), FailedRedirect, "not followed"},
		{"a question that is not understood", fault(openai.Fault{Status: 400, Error: "messages: too long"}), FailedRequest, "too long"},
		{"no word about tokens", fault(openai.Fault{NoUsage: true}), "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openai.Start(openai.Options{Answer: func(openai.Request) openai.Reply { return row.reply }})
			defer s.Close()
			timeout := 10 * time.Second
			if row.want == FailedTime {
				timeout = 300 * time.Millisecond
			}
			a, err := endpointForTests(s, timeout).Ask(t.Context(), promptForTests())
			if err == nil {
				if _, parse := ParseOpinion(a.Text, json.RawMessage(schemaForTests)); parse != nil {
					err = &Failure{Kind: FailedAnswer, Text: parse.Error()}
				}
			}
			var f *Failure
			switch {
			case row.want == "" && err != nil:
				t.Fatal(err)
			case row.want == "":
				if a.Usage.In <= 0 || a.MicroUSD <= 0 || a.Model != "small" {
					t.Errorf("%+v", a)
				}
			case !errors.As(err, &f) || f.Kind != row.want || !strings.Contains(f.Text, row.says):
				t.Fatalf("%v, want %s that says %q", err, row.want, row.says)
			case strings.Contains(f.Text, "sk-test"):
				t.Errorf("the key is told: %s", f.Text)
			}
		})
	}
}

// TestL27DuplicateKeysInAnAnswerAreRefused: elsewhere the last one won silently.
func TestL27DuplicateKeysInAnAnswerAreRefused(t *testing.T) {
	for _, answer := range []string{
		strings.Replace(good, `"confidence":40`, `"confidence":40,"confidence":99`, 1),
		strings.Replace(good, `"choice":["escalate"]`, `"choice":["escalate"],"choice":["evict"]`, 1),
		strings.Replace(good, `"findings":[]`, `"findings":[{"text":"a","text":"b","points":1,"evidence":[],"quote":"","claim":null}]`, 1),
		strings.Replace(good, `"findings":[]`, `"findings":[{"text":"a","points":1,"evidence":[],"quote":"","claim":{"kind":"a","kind":"b","object":"c"}}]`, 1),
	} {
		if o, err := ParseOpinion(answer, json.RawMessage(schemaForTests)); err == nil {
			t.Errorf("%s is read as %+v", answer, o)
		}
	}
}

// TestL28TheEnvironmentRedirectsNothing: elsewhere an environment variable sent what was asked to another host.
func TestL28TheEnvironmentRedirectsNothing(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the thief was asked: %s", r.URL) }))
	defer thief.Close()
	for _, name := range []string{"OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, thief.URL)
	}
	for name, value := range map[string]string{"OPENAI_API_KEY": "sk-thief", "OPENAI_ORG_ID": "thief", "OPENAI_PROJECT_ID": "thief", "OPENAI_CUSTOM_HEADERS": "X-Thief: yes", "OPENAI_ADMIN_KEY": "sk-thief"} {
		t.Setenv(name, value)
	}
	s := openai.Start(openai.Options{Key: "sk-test", Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: good} }})
	defer s.Close()
	if _, err := endpointForTests(s, 5*time.Second).Ask(t.Context(), promptForTests()); err != nil {
		t.Fatal(err)
	}
	h := s.Requests()[0].Header
	if h.Get("Authorization") != "Bearer sk-test" || h.Get("Openai-Organization")+h.Get("Openai-Project")+h.Get("X-Thief") != "" {
		t.Errorf("sent with %v", h)
	}
	// A name that resolves to no loopback address would go by a proxy, if the environment could set one.
	e := NewEndpoint(EndpointOptions{URL: "http://moorgate.invalid/v1", Model: "small", Timeout: 2 * time.Second, Now: time.Now})
	var f *Failure
	if _, err := e.Ask(t.Context(), promptForTests()); !errors.As(err, &f) || f.Kind != FailedReach && f.Kind != FailedTime {
		t.Errorf("%v", err)
	}
}

func TestARedirectNeverCarriesTheKey(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	s := openai.Start(openai.Options{Answer: func(openai.Request) openai.Reply {
		return openai.Reply{Fault: &openai.Fault{Status: 308, Header: map[string]string{"Location": elsewhere.URL}}}
	}})
	defer s.Close()
	_, err := endpointForTests(s, 5*time.Second).Ask(t.Context(), promptForTests())
	var f *Failure
	if !errors.As(err, &f) || f.Kind != FailedRedirect {
		t.Errorf("%v", err)
	}
}

func TestWhatAnEndpointCannotDoIsLeftOutAndSaid(t *testing.T) {
	for flavour, want := range map[openai.Flavour]int{openai.OpenAI: 0, openai.Ollama: 0, openai.LlamaCpp: 2} {
		t.Run(string(flavour), func(t *testing.T) {
			s := openai.Start(openai.Options{Flavour: flavour, Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: good} }})
			defer s.Close()
			e := endpointForTests(s, 5*time.Second)
			for range 2 {
				a, err := e.Ask(t.Context(), promptForTests())
				if err != nil || len(a.Degraded) != want {
					t.Fatalf("%v: %v, want %d", err, a.Degraded, want)
				}
			}
			last := s.Requests()[len(s.Requests())-1]
			if len(s.Requests()) != 2 || (want > 0) != strings.Contains(last.User(), "one JSON object that fits this schema") {
				t.Errorf("%d requests, the last: %s", len(s.Requests()), last.Body)
			}
		})
	}
}

func TestWhatWasLearntIsForgottenAfterAnHour(t *testing.T) {
	s := openai.Start(openai.Options{Flavour: openai.LlamaCpp, Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: good} }})
	defer s.Close()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	e := NewEndpoint(EndpointOptions{URL: s.Base(), Model: "small", Now: func() time.Time { return now }})
	if _, err := e.Ask(t.Context(), promptForTests()); err != nil || e.can() == (abilities{}) {
		t.Fatalf("%v, %+v", err, e.can())
	}
	if now = now.Add(learntFor + time.Second); e.can() != (abilities{}) {
		t.Errorf("%+v", e.can())
	}
}

func TestAzureIsAskedItsWay(t *testing.T) {
	s := openai.Start(openai.Options{Flavour: openai.Azure, Key: "sk-test", Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: good} }})
	defer s.Close()
	e := NewEndpoint(EndpointOptions{URL: s.Base(), Model: "triage", Key: func() (string, error) { return "sk-test", nil }, KeyHeader: true, APIVersion: "2024-10-21", Now: time.Now})
	if _, err := e.Ask(t.Context(), promptForTests()); err != nil {
		t.Fatal(err)
	}
	if r := s.Requests()[0]; !strings.Contains(r.Path, "api-version=2024-10-21") || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %v", r.Path, r.Header)
	}
}

func TestTLS(t *testing.T) {
	s := openai.Start(openai.Options{TLS: true, Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: good} }})
	defer s.Close()
	ask := func(o EndpointOptions) error {
		o.Model, o.Now, o.Timeout = "small", time.Now, 5*time.Second
		_, err := NewEndpoint(o).Ask(t.Context(), promptForTests())
		return err
	}
	var f *Failure
	if err := ask(EndpointOptions{URL: s.Base()}); !errors.As(err, &f) || f.Kind != FailedTLS || !strings.Contains(f.Text, "caFile") {
		t.Errorf("%v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if err := ask(EndpointOptions{URL: s.Base(), Roots: roots}); err != nil {
		t.Error(err)
	}
	plain := openai.Start(openai.Options{})
	defer plain.Close()
	if err := ask(EndpointOptions{URL: strings.Replace(plain.Base(), "http://", "https://", 1)}); !errors.As(err, &f) || f.Kind != FailedTLS {
		t.Errorf("%v", err)
	}
	plain.Close()
	if err := ask(EndpointOptions{URL: plain.Base()}); !errors.As(err, &f) || f.Kind != FailedReach {
		t.Errorf("%v", err)
	}
}

func TestRetryAfterInEveryForm(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		header, value string
		want          time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second}, {"Retry-After", "1.5", 1500 * time.Millisecond}, {"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After", now.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second}, {"Retry-After", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"Retry-After", "-3", 0}, {"Retry-After", "soon", 0}, {"Retry-After", "1e300", 0}, {"Retry-After", "", 0}, {"Retry-After-Ms", "NaN", 0},
	} {
		if got := retryAfter(&http.Response{Header: http.Header{row.header: {row.value}}}, now); got != row.want {
			t.Errorf("%s: %s is %s, want %s", row.header, row.value, got, row.want)
		}
	}
}

// TestNothingIsRetriedPastItsDeadline shows that a wait that does not fit is not begun.
func TestNothingIsRetriedPastItsDeadline(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		name  string
		fail  Failure
		left  time.Duration
		calls int
	}{
		{"a wait that does not fit", Failure{Kind: FailedRate, RetryAfter: time.Hour}, 30 * time.Second, 1},
		{"a wait that fits", Failure{Kind: FailedServer}, time.Hour, 3},
		{"what waiting does not cure", Failure{Kind: FailedQuota}, time.Hour, 1},
		{"a malformed answer", Failure{Kind: FailedAnswer}, time.Hour, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithDeadline(t.Context(), now.Add(row.left))
			defer cancel()
			calls := 0
			r := Retry{Now: func() time.Time { return now }, Jitter: func() float64 { return -1 }, Next: ModelFunc(func(context.Context, Prompt) (Answer, error) {
				calls++
				return Answer{}, &row.fail
			})}
			if _, err := r.Ask(ctx, Prompt{}); err == nil || calls != row.calls {
				t.Errorf("%d calls, %v", calls, err)
			}
		})
	}
}

func FuzzParseOpinion(f *testing.F) {
	for _, seed := range []string{good, "```json\n" + good + "\n```", "{}", "[]", `{"cause":"other"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOpinion(text, json.RawMessage(schemaForTests))
		if err == nil && o.Cause != "other" && o.Cause != "out-of-memory" {
			t.Fatalf("%q is read as %+v", text, o)
		}
	})
}
