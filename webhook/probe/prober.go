package probe

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"moorgate.dev/internal/gate"
)

// State is what one probe found.
type State struct {
	At     time.Time
	Failed string // what failed, in our own words: "TCP: refused"; empty where all is well
}

const (
	probeTime = 3 * time.Second // for all of one probe
	atOnce    = 8
	staleFor  = 3 // as many times an entry's interval as an answer is believed
)

// Prober asks the hosts of a list and remembers. The zero values of its functions are the careful ones.
type Prober struct {
	list   List
	now    func() time.Time
	jitter func() float64 // from 0 up to 1
	logger *slog.Logger

	permit  func(ip netip.Addr, private bool) error
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	roots   *x509.CertPool // nil: the system's

	turns  chan struct{}
	mu     sync.RWMutex
	states map[string]gate.Fact[State]
}

// New returns a Prober of a list that was checked. Jitter keeps replicas and entries from asking in step.
func New(list List, now func() time.Time, jitter func() float64, logger *slog.Logger) *Prober {
	return &Prober{list: list, now: now, jitter: jitter, logger: logger, permit: Permit,
		resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		turns: make(chan struct{}, atOnce), states: map[string]gate.Fact[State]{}}
}

// State is what is known of an external dependency for workloads of a namespace. An entry of another namespace and one that
// does not exist are told alike.
func (p *Prober) State(namespace, name string) gate.Fact[State] {
	for _, e := range p.list.Probes {
		if e.Name == name && e.serves(namespace) {
			return p.remembered(e)
		}
	}
	return gate.Unknown[State]("it is not on the list of probes for this namespace")
}

func (p *Prober) remembered(e Entry) gate.Fact[State] {
	p.mu.RLock()
	fact, asked := p.states[e.Name]
	p.mu.RUnlock()
	if !asked {
		return gate.Unknown[State]("it was not probed yet")
	}
	if s, known := fact.Get(); known && p.now().Sub(s.At) > staleFor*e.Every.Duration+probeTime {
		return gate.Unknown[State]("it was not probed lately")
	}
	return fact
}

// Across is whether workloads of one namespace may name dependencies in another.
func (p *Prober) Across(from, to string) bool {
	for _, w := range p.list.Across {
		if w.From == from && w.To == to {
			return true
		}
	}
	return false
}

// Start probes until ctx ends.
func (p *Prober) Start(ctx context.Context) error {
	var all sync.WaitGroup
	for _, e := range p.list.Probes {
		all.Go(func() { p.keep(ctx, e) })
	}
	all.Wait()
	return nil
}

// keep probes one entry again and again: the first time soon, and then within a tenth of its interval.
func (p *Prober) keep(ctx context.Context, e Entry) {
	pause := time.Duration(p.jitter() * float64(time.Second))
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case p.turns <- struct{}{}:
		}
		p.ask(ctx, e)
		<-p.turns
		pause = time.Duration(float64(e.Every.Duration) * (0.9 + 0.2*p.jitter()))
	}
}

// ask probes once and remembers, unless the process ends meanwhile.
func (p *Prober) ask(ctx context.Context, e Entry) {
	within, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	fact := p.probe(within, e)
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	was := p.states[e.Name]
	p.states[e.Name] = fact
	p.mu.Unlock()
	if why := fact.Why(); why != "" && was.Why() != why {
		p.logger.WarnContext(ctx, "an external dependency cannot be probed", "name", e.Name, "because", why)
	}
}
