package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
)

func (r *receiver) hand(t *testing.T) *Hand {
	t.Helper()
	config, _ := r.guarded(t, OwnOfAct())
	h, err := NewHand(config)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAHandIsMadeOfAGuardedTransportOnly(t *testing.T) {
	if _, err := NewHand(&rest.Config{Host: "https://127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), "not guarded") {
		t.Errorf("error %v", err)
	}
	with := &rest.Config{Host: "https://127.0.0.1:1", BearerToken: "t", UserAgent: "moorgate", Impersonate: rest.ImpersonationConfig{UserName: "x"}}
	if _, err := NewHand(Guarded(with, nil)); err != nil {
		t.Error(err)
	}
}

func TestWhatTheAnswerMeans(t *testing.T) {
	status := func(code int, reason, message, more string) string {
		quoted, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":%s,"reason":%q,"code":%d%s}`, quoted, reason, code, more)
	}
	gonePod := `,"details":{"name":"web-1","kind":"pods"}`
	for _, tt := range []struct {
		name string
		code int
		body string
		want gate.Outcome
		says string
	}{
		{"done", 201, success, gate.OutcomeDone, ""},
		{"the budget says no", 429, status(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", ""), gate.OutcomeRefused, "disruption budget"},
		{"the API server is busy", 429, "Too many requests, please try again later.\n", gate.OutcomeRefused, "too much to do"},
		{"the pod is gone", 404, status(404, "NotFound", `pods "web-1" not found`, gonePod), gate.OutcomeNothing, ""},
		{"something else is not found", 404, status(404, "NotFound", "the server could not find the requested resource", ""), gate.OutcomeRefused, "could not find"},
		{"a page says it is not found", 404, "<html>", gate.OutcomeUnknown, "may or may not"},
		{"another pod has its name", 409, status(409, "Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b", gonePod), gate.OutcomeRefused, "UID in precondition"},
		{"forbidden", 403, status(403, "Forbidden", "no", ""), gate.OutcomeRefused, "no"},
		{"forbidden by something on the way", 403, `{"error":"waf"}`, gate.OutcomeUnknown, "may or may not"},
		{"invalid", 422, status(422, "Invalid", "no", ""), gate.OutcomeRefused, "no"},
		{"bad", 400, status(400, "BadRequest", "no", ""), gate.OutcomeRefused, "no"},
		{"gone", 410, status(410, "Gone", "no", ""), gate.OutcomeRefused, "no"},
		{"unauthorized", 401, status(401, "Unauthorized", "no", ""), gate.OutcomeRefused, "no"},
		{"the message is hostile", 403, status(403, "Forbidden", "a\u001b[2Jb\nc", ""), gate.OutcomeRefused, "refused (403 Forbidden): a"},
		{"the server failed", 500, status(500, "InternalError", "no", ""), gate.OutcomeUnknown, "may or may not"},
		{"the server timed out", 504, status(504, "Timeout", "no", ""), gate.OutcomeUnknown, "may or may not"},
		{"the request timed out", 408, status(408, "Timeout", "no", ""), gate.OutcomeUnknown, "may or may not"},
		{"unavailable", 503, "", gate.OutcomeUnknown, "may or may not"},
		{"the code and its word differ", 409, status(500, "Conflict", "no", ""), gate.OutcomeUnknown, "may or may not"},
		{"a success that says it failed", 200, status(200, "", "no", ""), gate.OutcomeUnknown, "may or may not"},
		{"a success without a word", 200, "", gate.OutcomeUnknown, "may or may not"},
		{"a success in another form", 200, "<html>", gate.OutcomeUnknown, "may or may not"},
		{"a success about another pod", 200, `{"kind":"Pod","metadata":{"uid":"other"}}`, gate.OutcomeUnknown, "may or may not"},
		{"elsewhere", 307, "", gate.OutcomeUnknown, "may or may not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t)
			r.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "1")
				w.Header().Set("Location", "/api/v1/namespaces/shop/pods/web-2/eviction")
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, tt.body)
			}
			plan := evicting(t, web1)
			outcome, err := r.hand(t).Act(t.Context(), permit(t, plan), plan)
			if outcome != tt.want || r.got.Load() != 1 {
				t.Errorf("outcome %s after %d requests, want %s after one", outcome, r.got.Load(), tt.want)
			}
			if (tt.says == "") != (err == nil) || (err != nil && (!strings.Contains(err.Error(), tt.says) || strings.ContainsAny(err.Error(), "\n\x1b"))) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
}

func TestAnAmbiguousResultIsUnknownAndNeverTriedAgain(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, success[:20])
	}
	silent := func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}
	for name, answer := range map[string]http.HandlerFunc{"the connection is cut": cut, "the answer is cut": half, "no answer comes": silent} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			h := r.hand(t)
			h.time = 500 * time.Millisecond
			plan := evicting(t, web1)
			for range 3 { // on a connection that was used before, too
				r.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, success) }
				if outcome, err := h.Act(t.Context(), permit(t, plan), plan); outcome != gate.OutcomeDone {
					t.Fatalf("%s, %v", outcome, err)
				}
				r.answer = answer
				before, p := r.got.Load(), permit(t, plan)
				if outcome, err := h.Act(t.Context(), p, plan); outcome != gate.OutcomeUnknown || err == nil || r.got.Load() != before+1 {
					t.Errorf("%s, %v, %d requests", outcome, err, r.got.Load()-before)
				}
				if outcome, err := h.Act(t.Context(), p, plan); outcome != gate.OutcomeRefused || err == nil || r.got.Load() != before+1 {
					t.Errorf("again: %s, %v, %d requests", outcome, err, r.got.Load()-before)
				}
			}
		})
	}
	t.Run("where nobody listens there is nothing ambiguous", func(t *testing.T) {
		r := newReceiver(t)
		h := r.hand(t)
		r.Close()
		plan := evicting(t, web1)
		if outcome, err := h.Act(t.Context(), permit(t, plan), plan); outcome != gate.OutcomeRefused || err == nil {
			t.Errorf("%s, %v", outcome, err)
		}
	})
}

func TestAHandSendsNothingWhen(t *testing.T) {
	r := newReceiver(t)
	h := r.hand(t)
	other := web1
	other.Name = "web-2"
	ended, end := context.WithCancel(t.Context())
	end()
	for name, tt := range map[string]struct {
		ctx   context.Context
		spoil func(*gate.Action)
	}{
		"the context has ended":             {ended, func(*gate.Action) {}},
		"there is no request":               {t.Context(), func(a *gate.Action) { a.Request = nil }},
		"the request is for another target": {t.Context(), func(a *gate.Action) { a.Request = evicting(t, other).Request }},
		"the target is another":             {t.Context(), func(a *gate.Action) { a.Target = other }},
		"the UID is another":                {t.Context(), func(a *gate.Action) { a.Target.UID = "x" }},
		"the verb is another":               {t.Context(), func(a *gate.Action) { a.Verb = "delete" }},
		"it says that it only marks":        {t.Context(), func(a *gate.Action) { a.Reach = gate.ReachMark }},
		"it promises an edit too":           {t.Context(), func(a *gate.Action) { a.Edits = []gate.Edit{{Path: "spec.replicas", New: "0"}} }},
		"the request has more in its path": {t.Context(), func(a *gate.Action) {
			changed := *a.Request
			changed.Path += "?gracePeriodSeconds=0"
			a.Request = &changed
		}},
		"the request has more in its body": {t.Context(), func(a *gate.Action) {
			changed := *a.Request
			changed.Body = []byte(strings.Replace(string(changed.Body), `"preconditions"`, `"gracePeriodSeconds":0,"preconditions"`, 1))
			a.Request = &changed
		}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := evicting(t, web1)
			tt.spoil(&plan)
			p, _ := permitFor(plan, gate.Automatic) // whatever the guardrail makes of it
			if outcome, err := h.Act(tt.ctx, p, plan); outcome != gate.OutcomeRefused || err == nil || r.got.Load() != 0 {
				t.Errorf("%s, %v, %d requests", outcome, err, r.got.Load())
			}
		})
	}
	t.Run("there is no permit", func(t *testing.T) {
		if outcome, err := h.Act(t.Context(), gate.Permit{}, evicting(t, web1)); outcome != gate.OutcomeRefused || err == nil || r.got.Load() != 0 {
			t.Errorf("%s, %v", outcome, err)
		}
	})
}

func TestAnAnswerIsWaitedForThroughAShutdown(t *testing.T) {
	r := newReceiver(t)
	ctx, stop := context.WithCancel(t.Context())
	r.answer = func(w http.ResponseWriter, _ *http.Request) { stop(); _, _ = io.WriteString(w, success) }
	plan := evicting(t, web1)
	if outcome, err := r.hand(t).Act(ctx, permit(t, plan), plan); outcome != gate.OutcomeDone || err != nil {
		t.Errorf("%s, %v", outcome, err)
	}
}
