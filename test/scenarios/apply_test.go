package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

// change applies the change once and gathers what came of it.
func (p *place) change(s story) (got, error) {
	u, err := s.change()
	if err != nil {
		return got{}, err
	}
	known, err := p.cases(gate.FaceWebhook, u.GetKind(), u.GetName())
	if err != nil {
		return got{}, err
	}
	g := got{before: p.live(u)}
	g.out, g.refused = p.applyOnce(s)
	if g.c, err = p.newCase(u.GetKind(), u.GetName(), known); err != nil {
		return got{}, fmt.Errorf("the Case of the change: %w\nkubectl says:\n%s\n%s", err, g.out, p.moorgate().LogTail())
	}
	if g.c.Spec.Answer.Said != webhook.Denied {
		g.annotations = p.annotated(u, g.c.Name)
	}
	g.after = p.live(u)
	return g, nil
}

// applyOnce applies the change. What comes later comes when kubectl was asked to wait, which it says itself at this verbosity.
func (p *place) applyOnce(s story) (string, error) {
	later := s.parts["later.yaml"]
	if later == "" {
		return p.kubectl(s.parts["change.yaml"], "apply", "-f", "-")
	}
	out := &listener{part: "Got a Retry-After", heard: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- p.kubectlTo(out, s.parts["change.yaml"], "apply", "-v=4", "-f", "-") }()
	select {
	case err := <-done:
		return out.String(), errors.Join(err, errors.New("nobody was asked to wait"))
	case <-out.heard:
	}
	p.apply("later.yaml", later)
	err := <-done
	return out.String(), err
}

// listener keeps what is written to it, and says when a part of it was written.
type listener struct {
	part  string
	heard chan struct{}

	mu   sync.Mutex
	text strings.Builder
	once sync.Once
}

func (l *listener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(b)
	if strings.Contains(l.text.String(), l.part) {
		l.once.Do(func() { close(l.heard) })
	}
	return n, err
}

func (l *listener) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
