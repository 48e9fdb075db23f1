package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"moorgate.dev/drift"
	"moorgate.dev/internal/gate"
)

// started takes what a part runs.
type started struct {
	ctrl.Manager
	all []manager.Runnable
}

func (s *started) Add(r manager.Runnable) error {
	s.all = append(s.all, r)
	return nil
}

func TestWhatBecameOfFluxEventsIsCountedAndSaidOnce(t *testing.T) {
	var well atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	door, err := openDoor("")
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	p := &process{options: options{fluxEvents: server.URL}, metrics: newMetrics(), passage: door, logger: slog.New(slog.NewTextHandler(&lines, nil))}
	var parts started
	tell, err := p.addFluxEvents(&parts)
	if err != nil || tell == nil || len(parts.all) != 1 {
		t.Fatalf("%v, %d parts", err, len(parts.all))
	}
	for _, want := range []string{`moorgate_flux_events_total{result="failed"} 2`, `moorgate_flux_events_total{result="sent"} 2`} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- parts.all[0].Start(ctx) }()
		for range 2 {
			tell(drift.Notice{About: gate.Ref{Version: "v1", Kind: "ConfigMap", Namespace: "shop", Name: "settings"}, Reason: "Drifted", Text: "it differs"})
		}
		for until := time.Now().Add(time.Minute); !strings.Contains(scrape(t, p.metrics), want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("not so after a minute: %s\n%s", want, scrape(t, p.metrics))
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		well.Store(true)
	}
	if n := strings.Count(lines.String(), "it answered 503"); n != 1 {
		t.Errorf("it is said %d times: %s", n, lines.String())
	}
}

func TestWithoutAnAddressNobodyTellsFlux(t *testing.T) {
	var parts started
	if tell, err := (&process{}).addFluxEvents(&parts); tell != nil || err != nil || len(parts.all) != 0 {
		t.Errorf("%v, %d parts", err, len(parts.all))
	}
}
