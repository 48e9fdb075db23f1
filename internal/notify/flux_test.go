package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/notify"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/redact/plant"
)

var now = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// house is a Flux that posts to a server on this machine.
type house struct {
	*notify.Flux
	results chan string
	mu      sync.Mutex
	trouble []string
}

func newHouse(t *testing.T, handler http.HandlerFunc) *house {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	address, err := notify.Address(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{results: make(chan string, 2000)}
	h.Flux = notify.NewFlux(notify.Options{Address: address, Door: door, Now: func() time.Time { return now },
		Counted: func(result string) { h.results <- result },
		Troubled: func(err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.trouble = append(h.trouble, err.Error())
		}})
	return h
}

// run posts until the test ends, or what it answers is called.
func (h *house) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (h *house) next(t *testing.T) string {
	t.Helper()
	select {
	case r := <-h.results:
		return r
	case <-time.After(time.Minute):
		t.Fatal("nothing became of an event for a minute")
		return ""
	}
}

func (h *house) troubles() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble
}

func opened() notify.Notice {
	return notify.Notice{About: gate.Ref{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization", Namespace: "flux-system", Name: "apps", UID: "7d0cdc51"},
		Reason: "Drifted", Text: "Deployment shop/web: replicas is 5, Git says 2 (apps/web.yaml:7); case drift-web-1", Case: "shop/drift-web-1", Cause: "changed-by-person",
		Commit: "0123456789abcdef0123456789abcdef01234567"}
}

func TestAnEventIsOfFluxsOwnType(t *testing.T) {
	bodies := make(chan []byte, 3)
	h := newHouse(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s, headers %v", r.Method, r.URL, r.Header)
		}
		bodies <- body
		w.WriteHeader(http.StatusAccepted)
	})
	h.run(t)
	gone := notify.Notice{About: gate.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "settings"}, Gone: true, Reason: "DriftGone", Text: "it says\nwhat Git says again\x1b[31m"}
	for _, n := range []notify.Notice{opened(), gone} {
		h.Tell(n)
		if r := h.next(t); r != notify.Sent {
			t.Fatalf("%s: %v", r, h.troubles())
		}
	}
	read := func() (e eventv1.Event) {
		d := json.NewDecoder(bytes.NewReader(<-bodies))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := read()
	if o := e.InvolvedObject; o.GroupVersionKind().String() != "kustomize.toolkit.fluxcd.io/v1, Kind=Kustomization" || o.Namespace != "flux-system" || o.Name != "apps" || o.UID != "7d0cdc51" {
		t.Errorf("it is about %+v", o)
	}
	if e.Severity != eventv1.EventSeverityError || e.Reason != "Drifted" || e.Message != opened().Text || e.ReportingController != "moorgate" || !e.Timestamp.Time.Equal(now) {
		t.Errorf("%+v", e)
	}
	// What is not named after the group of the object does not get beyond the notification-controller.
	for key, want := range map[string]string{"case": "shop/drift-web-1", "cause": "changed-by-person", "commit": opened().Commit} {
		if !e.HasMetadata("kustomize.toolkit.fluxcd.io/"+key, want) {
			t.Errorf("%s: %v", key, e.Metadata)
		}
	}
	e = read()
	if e.Severity != eventv1.EventSeverityInfo || e.Reason != "DriftGone" || e.Message != "it says what Git says again [31m" || e.InvolvedObject.APIVersion != "v1" || len(e.Metadata) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestAServerThatHangsHoldsNothingUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	h := newHouse(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // without which it is not noticed that the client has gone
		asked <- struct{}{}
		<-r.Context().Done()
	})
	stop := h.run(t)
	h.Tell(opened())
	<-asked
	const told = 1000
	for range told {
		h.Tell(opened()) // it would never come back from here if it waited for the server
	}
	dropped := 0
	for len(h.results) > 0 {
		if r := <-h.results; r == notify.Dropped {
			dropped++
		}
	}
	if waiting := told - dropped; waiting < 1 || waiting > 300 {
		t.Errorf("%d wait, %d were dropped", waiting, dropped)
	}
	stop()
	became := map[string]int{notify.Dropped: dropped}
	for len(h.results) > 0 {
		became[<-h.results]++
	}
	if became[notify.Failed] < 1 || became[notify.Sent] != 0 || became[notify.Failed]+became[notify.Dropped] != told+1 {
		t.Errorf("of %d events became %v", told+1, became)
	}
	if all := h.troubles(); len(all) != 1 {
		t.Errorf("it is said once, not %d times", len(all))
	}
}

func TestWhoAnswersTooLateIsGivenUp(t *testing.T) {
	h := newHouse(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // an answer that never ends
	})
	notify.SetTimeout(h.Flux, 50*time.Millisecond)
	h.run(t)
	h.Tell(opened())
	h.next(t)
	h.Tell(opened())
	h.next(t) // the second would never be posted if the first were waited for
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var stolen atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer elsewhere.Close()
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		h := newHouse(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, code) })
		h.run(t)
		h.Tell(opened())
		if r := h.next(t); r != notify.Failed || len(h.troubles()) != 1 || !strings.Contains(h.troubles()[0], "it answered 30") {
			t.Errorf("%d: %s, %v", code, r, h.troubles())
		}
	}
	if stolen.Load() != 0 {
		t.Error("an event went to another host")
	}
}

func TestTroubleIsSaidAgainOnlyAfterAnEventWasDelivered(t *testing.T) {
	var code atomic.Int32
	h := newHouse(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(code.Load())) })
	h.run(t)
	for i, step := range []struct{ code, said int }{{500, 1}, {429, 1}, {202, 1}, {503, 2}} {
		code.Store(int32(step.code))
		h.Tell(opened())
		want := notify.Failed
		if step.code == 202 {
			want = notify.Sent
		}
		if r := h.next(t); r != want || len(h.troubles()) != step.said {
			t.Errorf("step %d: %s, want %s; said: %q", i, r, want, h.troubles())
		}
	}
}

func TestNoPlantedSecretLeaves(t *testing.T) {
	var mu sync.Mutex
	var all strings.Builder
	h := newHouse(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		all.Write(body)
	})
	h.run(t)
	plant.Each(plant.Kinds(), func(s plant.Secret) {
		n := opened()
		n.Text, n.Case, n.Commit, n.About.Name = "env is "+s.Text, s.Text, s.Text, s.Text
		h.Tell(n)
		if r := h.next(t); r != notify.Sent {
			t.Fatalf("%s: %s", s.Kind, r)
		}
		mu.Lock()
		defer mu.Unlock()
		if plant.Leaks(all.String(), s.Secret) {
			t.Errorf("a secret left: %s", s.Kind)
		}
		all.Reset()
	})
	hidden := opened()
	hidden.Text = "token is ghp_ABCDEFGHIJ\u200bKLMNOPQRSTUVWXYZ0123456789"
	h.Tell(hidden)
	h.next(t)
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(all.String(), "KLMNOPQRSTUVWXYZ") {
		t.Error("a character that does not print hid a secret from the door")
	}
}
