package drift_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"

	"moorgate.dev/drift"
	"moorgate.dev/internal/notify"
	"moorgate.dev/internal/redact"
)

// fluxEvents has drifts told to a notification-controller on this machine, and answers what comes there.
func (s *stage) fluxEvents() <-chan eventv1.Event {
	s.t.Helper()
	events := make(chan eventv1.Event, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e eventv1.Event
		if err != nil || json.Unmarshal(body, &e) != nil {
			s.t.Errorf("%v: not an event of Flux: %s", err, body)
		}
		events <- e
		w.WriteHeader(http.StatusAccepted)
	}))
	address, err := notify.Address(server.URL)
	s.ok(err)
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	s.ok(err)
	flux := notify.NewFlux(notify.Options{Address: address, Door: door, Now: time.Now, Counted: func(string) {}, Troubled: func(err error) { s.t.Error(err) }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- flux.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		s.ok(<-done)
		server.Close()
	})
	s.detector.Tell = func(n drift.Notice) { flux.Tell(notify.Notice(n)) }
	return events
}

// comes is the next event, and the only one.
func comes(t *testing.T, events <-chan eventv1.Event) eventv1.Event {
	t.Helper()
	select {
	case e := <-events:
		if len(events) > 0 {
			t.Errorf("another came: %+v", <-events)
		}
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event came for a minute")
		return eventv1.Event{}
	}
}

func TestFluxIsToldOfADriftOfWhatItDelivers(t *testing.T) {
	s := newDelivery(t)
	events := s.fluxEvents()
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	owner := s.kustomization("apps", map[string]any{"path": "apps"}, commit, "web")
	s.applied(web)
	s.rounds()
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.rounds()
	s.rounds() // which has nothing new to tell
	k := s.onlyCase()
	e := comes(t, events)
	if o := e.InvolvedObject; o.Kind != "Kustomization" || o.Namespace != s.ns || o.Name != "apps" || o.UID != owner.GetUID() || o.APIVersion != owner.GetAPIVersion() {
		t.Errorf("it is about %+v, which no Alert listens to", o)
	}
	if e.Severity != eventv1.EventSeverityError || e.Reason != "Drifted" || e.ReportingController != "moorgate" ||
		e.Message != "Deployment "+s.ns+"/web: replicas is 5, Git says 2 (apps/web.yaml:7); case "+k.Name {
		t.Errorf("%+v", e)
	}
	metadata := func(e eventv1.Event) {
		t.Helper()
		for key, want := range map[string]string{"case": s.ns + "/" + k.Name, "cause": k.Status.Cause, "commit": commit} {
			if !e.HasMetadata("kustomize.toolkit.fluxcd.io/"+key, want) {
				t.Errorf("%s is not %q: %v", key, want, e.Metadata)
			}
		}
	}
	metadata(e)
	s.applied(web)
	s.rounds()
	s.rounds()
	e = comes(t, events)
	if e.Severity != eventv1.EventSeverityInfo || e.Reason != "DriftGone" || e.InvolvedObject.UID != owner.GetUID() || !strings.HasPrefix(e.Message, "Deployment "+s.ns+"/web: it says what Git says again") {
		t.Errorf("%+v", e)
	}
	metadata(e)
}

func TestWhatFluxDoesNotDeliverIsToldAboutItself(t *testing.T) {
	s := deployed(t, web)
	events := s.fluxEvents()
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	k := s.onlyCase()
	e := comes(t, events)
	if o := e.InvolvedObject; o.APIVersion != "apps/v1" || o.Kind != "Deployment" || o.Name != "web" || o.UID != s.live().UID {
		t.Errorf("it is about %+v", o)
	}
	if !e.HasMetadata("apps/case", s.ns+"/"+k.Name) || !strings.HasSuffix(e.Message, "(deploy/web.yaml:16); case "+k.Name) || strings.Contains(e.Message, "Deployment") {
		t.Errorf("%+v", e)
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
	s.round()
	if e := comes(t, events); e.Reason != "DriftGone" || e.Severity != eventv1.EventSeverityInfo || e.InvolvedObject.UID != s.live().UID {
		t.Errorf("%+v", e)
	}
}
