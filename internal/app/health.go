package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// readiness is what has to be in order before Moorgate is ready.
type readiness struct {
	mu     sync.Mutex
	checks []check
	notes  []func() string
}

type check struct {
	name string
	ask  func(ctx context.Context) error
}

func (r *readiness) add(name string, ask func(ctx context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, check{name, ask})
}

// tell adds what is worth knowing where it is not empty, and no reason not to be ready.
func (r *readiness) tell(note func() string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, note)
}

// report asks every check and says what each answers.
func (r *readiness) report(ctx context.Context) (text string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok = true
	for _, c := range r.checks {
		if err := c.ask(ctx); err != nil {
			text, ok = text+fmt.Sprintf("[-] %s: %v\n", c.name, err), false
			continue
		}
		text += fmt.Sprintf("[+] %s\n", c.name)
	}
	for _, note := range r.notes {
		if says := note(); says != "" {
			text += fmt.Sprintf("[~] %s\n", says)
		}
	}
	return text, ok
}

// serveHealth serves /healthz, which answers while the process lives, /readyz, which says what is missing, and /metrics.
func (p *process) serveHealth(ctx context.Context) error {
	if p.health == "" {
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		text, ok := p.ready.report(r.Context())
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = fmt.Fprint(w, text)
	})
	mux.Handle("GET /metrics", p.metrics)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", p.health)
	if err != nil {
		return fmt.Errorf("serve health (--health): %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health: %w", err)
	}
	return nil
}
