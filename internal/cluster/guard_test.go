package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
)

// receiver is a server that counts what reaches it and answers as it is told.
type receiver struct {
	*httptest.Server
	got    atomic.Int32
	answer http.HandlerFunc
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, success) }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.got.Add(1)
		r.answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

const success = `{"kind":"Status","apiVersion":"v1","status":"Success","code":201}`

func (r *receiver) guarded(t *testing.T, own Own) (*rest.Config, *http.Client) {
	t.Helper()
	config := Guarded(&rest.Config{Host: r.URL}, own)
	c, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, c
}

var web1 = gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "11111111-2222-3333-4444-555555555555"}

// evicting is a plan with its request.
func evicting(t *testing.T, pod gate.Ref) gate.Action {
	t.Helper()
	return requested(t, gate.Action{ID: "evict", Verb: VerbEvict, Reach: gate.ReachLive, Target: pod, Undo: "its owner makes another"})
}

// marking is a plan to annotate, with its request.
func marking(t *testing.T, rollout gate.Ref, score string) gate.Action {
	t.Helper()
	return requested(t, gate.Action{ID: "annotate", Verb: VerbAnnotate, Reach: gate.ReachMark, Target: rollout,
		Edits: []gate.Edit{{Path: AnnotationPath("moorgate.dev/readiness-score"), New: `"` + score + `"`}}})
}

func requested(t *testing.T, plan gate.Action) gate.Action {
	t.Helper()
	r, err := RequestOf(plan)
	if err != nil {
		t.Fatal(err)
	}
	plan.Request = &r
	return plan
}

// permitFor is the guardrail's answer to a plan under a mode, where nothing else speaks against it.
func permitFor(plan gate.Action, mode gate.Mode) (gate.Permit, bool) {
	now, many := time.Unix(1e9, 0), gate.Budget{Actions: 100, Window: time.Hour}
	rail := gate.Rail{Name: "r", Mode: mode, Admission: gate.AdmissionWarn, WarnBelow: gate.Known(0), DenyBelow: gate.Known(0),
		ConfidenceBelow: gate.Known(0), AgreementBelow: gate.Known(0), HistoryBelow: gate.Known(0), Approvers: gate.Known(0),
		Actions: []gate.Permitted{{Verb: VerbEvict}}, Budgets: gate.Budgets{Total: many, Namespace: many, Workload: many},
		Restraint: gate.Restraint{MinHealthy: gate.Known(0), Storm: gate.Known(100), Fresh: time.Hour, Attempts: 100}}
	if mode == gate.Observe {
		rail.Admission = gate.AdmissionObserve
	}
	f := gate.Facts{At: now, Subject: plan.Target, Menu: []gate.Action{plan}, Paused: gate.Known([]string(nil)),
		Rollback: gate.Known(false), Failing: gate.Known(false), Namespace: gate.Known(map[string]string{}), Since: gate.Known(now.Add(-time.Hour)),
		Oldest: gate.Known(now), Owner: gate.Known(gate.Owner{}), Health: gate.Known(gate.Share{Well: 9, Total: 10}), Storm: gate.Known(0),
		Ledger: gate.Known(gate.Ledger{}), History: gate.Known(gate.Tally{Verb: plan.Verb, Tried: 73, Healed: 73}), Approvals: gate.Known([]gate.Approval(nil))}
	a := gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(100), Agreement: gate.Known(100), Choice: []string{plan.ID}}
	return gate.Decide(gate.Policy{Rails: []gate.Rail{rail}}, a, f).Permit()
}

func permit(t *testing.T, plan gate.Action) gate.Permit {
	t.Helper()
	p, ok := permitFor(plan, gate.Automatic)
	if !ok {
		t.Fatal("the guardrail gives no permit to try with")
	}
	return p
}

// attempt is the request of a plan as it should be sent, carrying a permit.
func attempt(t *testing.T, url string, plan gate.Action, p gate.Permit) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(carrying(t.Context(), p, plan), plan.Request.Method, url+plan.Request.Path, bytes.NewReader(plan.Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", plan.Request.ContentType)
	return req
}

// refuses fails if a request is sent, or is refused without saying what and why.
func (r *receiver) refuses(t *testing.T, c *http.Client, req *http.Request) {
	t.Helper()
	before := r.got.Load()
	method, path := req.Method, req.URL.Path
	resp, err := c.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("%s %s went through", method, path)
	}
	if !errors.Is(err, ErrNoPermit) || !strings.Contains(err.Error(), method) || !strings.Contains(err.Error(), "no permit covers it, and nothing was sent") {
		t.Errorf("refused with %v", err)
	}
	if after := r.got.Load(); after != before {
		t.Errorf("%d requests reached the server", after-before)
	}
}

func TestTheTransportRefusesWhatNoPermitCovers(t *testing.T) {
	pod := evicting(t, web1)
	rollout := marking(t, gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u-1"}, "80")
	r := newReceiver(t)
	_, c := r.guarded(t, OwnOfAct())
	t.Run("in Observe there is no permit, and nothing passes", func(t *testing.T) {
		for _, plan := range []gate.Action{pod, rollout} {
			p, ok := permitFor(plan, gate.Observe)
			if ok {
				t.Fatalf("Observe permits to %s", plan.Verb)
			}
			r.refuses(t, c, attempt(t, r.URL, plan, p))
		}
	})
	for _, tt := range attempts {
		t.Run(tt.name, func(t *testing.T) {
			req := attempt(t, r.URL, rollout, permit(t, rollout))
			r.refuses(t, c, tt.spoil(t, req))
		})
	}
	t.Run("what is permitted passes, once, and the same request again does not", func(t *testing.T) {
		for _, plan := range []gate.Action{pod, rollout} {
			p := permit(t, plan)
			resp, err := c.Do(attempt(t, r.URL, plan, p))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			r.refuses(t, c, attempt(t, r.URL, plan, p))
		}
	})
	t.Run("of many at the same time one passes", func(t *testing.T) {
		p, passed := permit(t, pod), atomic.Int32{}
		before := r.got.Load()
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				resp, err := c.Do(attempt(t, r.URL, pod, p))
				if err == nil {
					_ = resp.Body.Close()
					passed.Add(1)
				} else if !errors.Is(err, ErrNoPermit) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := r.got.Load() - before; passed.Load() != 1 || got != 1 {
			t.Errorf("%d passed and %d arrived", passed.Load(), got)
		}
	})
}

var attempts = []struct {
	name  string
	spoil func(*testing.T, *http.Request) *http.Request
}{
	{"one byte of the body is another", ontoBody(func(b []byte) []byte { b[len(b)/2]++; return b })},
	{"a byte more", ontoBody(func(b []byte) []byte { return append(b, ' ') })},
	{"a second document", ontoBody(func(b []byte) []byte { return append(b, "\n---\n{}"...) })},
	{"no body", ontoBody(func([]byte) []byte { return nil })},
	{"the path in capitals", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/WEB", 1) })},
	{"a letter of the path escaped", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/%77eb", 1) })},
	{"a trailing slash", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/web/", 1) })},
	{"two slashes", ontoPath(func(p string) string { return strings.Replace(p, "/web", "//web", 1) })},
	{"a detour", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/x/../web", 1) })},
	{"another object", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/api", 1) })},
	{"another namespace", ontoPath(func(p string) string { return strings.Replace(p, "/shop", "/bank", 1) })},
	{"a subresource", ontoPath(func(p string) string { return strings.Replace(p, "/web", "/web/scale", 1) })},
	{"another order in the query", ontoPath(func(p string) string {
		return strings.Replace(p, "fieldManager=moorgate&force=true", "force=true&fieldManager=moorgate", 1)
	})},
	{"more in the query", ontoPath(func(p string) string { return p + "&fieldValidation=Ignore" })},
	{"less in the query", ontoPath(func(p string) string { return strings.TrimSuffix(p, "&force=true") })},
	{"another content type", header("Content-Type", "application/merge-patch+json")},
	{"parameters of the content type", header("Content-Type", "application/apply-patch+yaml; charset=utf-8")},
	{"no content type", func(_ *testing.T, r *http.Request) *http.Request { r.Header.Del("Content-Type"); return r }},
	{"two content types", func(_ *testing.T, r *http.Request) *http.Request {
		r.Header.Add("Content-Type", "application/merge-patch+json")
		return r
	}},
	{"a content type beside the one that is looked at", func(_ *testing.T, r *http.Request) *http.Request {
		r.Header["content-type"] = []string{"application/merge-patch+json"}
		return r
	}},
	{"an encoded body", header("Content-Encoding", "gzip")},
	{"a body in chunks", func(_ *testing.T, r *http.Request) *http.Request {
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(r.Body)), -1
		return r
	}},
	{"PUT instead of PATCH", method(http.MethodPut)},
	{"DELETE instead of PATCH", method(http.MethodDelete)},
	{"a method that nobody knows", method("PURGE")},
	{"another method in a header", header("X-HTTP-Method-Override", "DELETE")},
	{"GET, with another method in a header", func(_ *testing.T, r *http.Request) *http.Request {
		r.Method = http.MethodGet
		r.Header.Set("X-HTTP-Method-Override", "DELETE")
		return r
	}},
	{"an upgrade", header("Upgrade", "SPDY/3.1")},
	{"another host in the header", func(_ *testing.T, r *http.Request) *http.Request { r.Host = "elsewhere:6443"; return r }},
	{"a path that only the wire sees", func(_ *testing.T, r *http.Request) *http.Request {
		r.URL.Opaque = "//" + r.URL.Host + "/api/v1/namespaces/shop/pods"
		return r
	}},
	{"an empty permit", with(func(c carried) carried { c.permit = gate.Permit{}; return c })},
	{"no permit", func(_ *testing.T, r *http.Request) *http.Request { return r.WithContext(context.Background()) }},
	{"a permit for another plan with the same bytes", with(func(c carried) carried { c.plan.Target.Name = "api"; return c })},
}

func ontoBody(change func([]byte) []byte) func(*testing.T, *http.Request) *http.Request {
	return func(t *testing.T, r *http.Request) *http.Request {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		b = change(b)
		r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
		return r
	}
}

func ontoPath(change func(string) string) func(*testing.T, *http.Request) *http.Request {
	return func(t *testing.T, r *http.Request) *http.Request {
		u, err := url.Parse(r.URL.Scheme + "://" + r.URL.Host + change(r.URL.RequestURI()))
		if err != nil {
			t.Fatal(err)
		}
		r.URL = u
		return r
	}
}

func header(name, value string) func(*testing.T, *http.Request) *http.Request {
	return func(_ *testing.T, r *http.Request) *http.Request { r.Header.Set(name, value); return r }
}

func method(name string) func(*testing.T, *http.Request) *http.Request {
	return func(_ *testing.T, r *http.Request) *http.Request { r.Method = name; return r }
}

func with(change func(carried) carried) func(*testing.T, *http.Request) *http.Request {
	return func(_ *testing.T, r *http.Request) *http.Request {
		c, _ := r.Context().Value(permitKey{}).(carried)
		return r.WithContext(context.WithValue(r.Context(), permitKey{}, change(c)))
	}
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

func BenchmarkGuard(b *testing.B) {
	g := guard{next: nowhere{}, own: OwnOfJudge(), scheme: "https", host: "127.0.0.1:6443"}
	for name, r := range map[string]struct{ method, path string }{
		"read":        {http.MethodGet, "/api/v1/namespaces/shop/pods?watch=true"},
		"bookkeeping": {http.MethodPatch, "/apis/moorgate.dev/v1alpha1/namespaces/shop/cases/x/status"},
	} {
		b.Run(name, func(b *testing.B) {
			req, err := http.NewRequest(r.method, "https://127.0.0.1:6443"+r.path, http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.RoundTrip(req); err != nil { //nolint:bodyclose // nobody answers
					b.Fatal(err)
				}
			}
		})
	}
}
