package probe

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

// TestTheListIsFollowed writes the file over while it is followed. What is found of a host lasts as long as its entry.
func TestTheListIsFollowed(t *testing.T) {
	api, other := serving(t, func(http.ResponseWriter, *http.Request) {}), serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	path := filepath.Join(t.TempDir(), "probes.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one := func(name string, e Entry) string {
		return fmt.Sprintf("- {name: %s, host: api.example.com, port: %d, http: {path: /healthz}, namespaces: [shop], every: 1h}\n", name, e.Port)
	}
	write("probes:\n" + one("api", api))
	list, err := ReadList(path)
	if err != nil {
		t.Fatal(err)
	}
	p := New(list, func() time.Time { return noon }, func() float64 { return 0 }, slog.New(slog.DiscardHandler))
	log := &lines{}
	p.permit, p.resolve, p.logger = onLoopback, leads("127.0.0.1"), slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	var all sync.WaitGroup
	all.Go(func() { _ = p.Start(ctx) })
	all.Go(func() { p.Follow(ctx, path, ticks) })
	t.Cleanup(func() { cancel(); all.Wait() })
	tick := func() { ticks <- noon; ticks <- noon } // the second is taken once the first was acted on

	until(t, p, "api", "")
	write("probes:\n" + one("api", api) + one("other", other))
	tick()
	until(t, p, "other", "HTTP: status 418")
	until(t, p, "api", "")
	for _, broken := range []string{"probes: [", "probes:\n- {name: nothing}\n", "probes: [" + strings.Repeat("x", listBytes)} {
		write(broken)
		tick()
		tick()
		until(t, p, "other", "HTTP: status 418")
	}
	if n := strings.Count(log.String(), "the list of probes stays as it was"); n != 3 {
		t.Errorf("said %d times:\n%s", n, log)
	}
	write("probes:\n" + one("api", other) + "across: [{from: shop, to: till}]\n")
	tick()
	until(t, p, "api", "HTTP: status 418")
	if _, known := p.State("shop", "other").Get(); known || !p.Across("shop", "till") {
		t.Error("what is off the list is told of, or what was added is not")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tick()
	until(t, p, "api", "HTTP: status 418")
}

func TestOnceAsksEachOnce(t *testing.T) {
	var asked sync.Map
	e := serving(t, func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.Path, true) })
	p := prober(e)
	p.Once(t.Context())
	if s, known := p.State("shop", "api").Get(); !known || s.Failed != "" {
		t.Errorf("%+v, %t", s, known)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := prober(e)
	late.Once(ctx)
	if _, known := late.State("shop", "api").Get(); known {
		t.Error("what nobody asked is known")
	}
	all := List{Probes: []Entry{e, {Name: "b", Namespaces: []string{"till"}}, {Name: "c", Namespaces: []string{"*"}}}}
	if of := all.Of([]string{"shop"}); len(of.Probes) != 2 || of.Probes[1].Name != "c" || len(all.Probes) != 3 {
		t.Errorf("%+v", of)
	}
}

func until(t *testing.T, p *Prober, name, failed string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	var fact gate.Fact[State]
	for time.Now().Before(deadline) {
		fact = p.State("shop", name)
		if s, known := fact.Get(); known && s.Failed == failed {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s is %+v, want %q", name, fact, failed)
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
