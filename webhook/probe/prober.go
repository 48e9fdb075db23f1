package probe

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"slices"
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
	now    func() time.Time
	jitter func() float64 // from 0 up to 1
	logger *slog.Logger

	permit  func(ip netip.Addr, private bool) error
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	roots   *x509.CertPool // nil: the system's

	turns  chan struct{}
	next   chan List // takes the place of the list
	mu     sync.RWMutex
	list   List
	states map[string]gate.Fact[State]
}

// New returns a Prober of a list that was checked. Jitter keeps replicas and entries from asking in step.
func New(list List, now func() time.Time, jitter func() float64, logger *slog.Logger) *Prober {
	return &Prober{list: list, now: now, jitter: jitter, logger: logger, permit: Permit,
		resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		turns: make(chan struct{}, atOnce), next: make(chan List), states: map[string]gate.Fact[State]{}}
}

// State is what is known of an external dependency for workloads of a namespace. An entry of another namespace and one that
// does not exist are told alike.
func (p *Prober) State(namespace, name string) gate.Fact[State] {
	for _, e := range p.current().Probes {
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
	for _, w := range p.current().Across {
		if w.From == from && w.To == to {
			return true
		}
	}
	return false
}

func (p *Prober) current() List {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.list
}

// Start probes until ctx ends, those of another list once there is one.
func (p *Prober) Start(ctx context.Context) error {
	for ctx.Err() == nil {
		round, end := context.WithCancel(ctx)
		var all sync.WaitGroup
		for _, e := range p.current().Probes {
			all.Go(func() { p.keep(round, e) })
		}
		select {
		case l := <-p.next:
			end()
			all.Wait()
			p.take(l)
		case <-ctx.Done():
		}
		end()
		all.Wait()
	}
	return nil
}

// Once probes each host once, a few at a time, and returns when all have answered or ctx ends: who has not is not known.
func (p *Prober) Once(ctx context.Context) {
	var all sync.WaitGroup
	for _, e := range p.current().Probes {
		all.Go(func() { p.turn(ctx, e) })
	}
	all.Wait()
}

// take puts a list in the place of the one before. What was found of a host is forgotten with its entry.
func (p *Prober) take(l List) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, before := range p.list.Probes {
		if !slices.ContainsFunc(l.Probes, func(e Entry) bool { return reflect.DeepEqual(e, before) }) {
			delete(p.states, before.Name)
		}
	}
	p.list = l
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
		p.turn(ctx, e)
		pause = time.Duration(float64(e.Every.Duration) * (0.9 + 0.2*p.jitter()))
	}
}

// turn probes once it is its turn.
func (p *Prober) turn(ctx context.Context, e Entry) {
	select {
	case <-ctx.Done():
	case p.turns <- struct{}{}:
		p.ask(ctx, e)
		<-p.turns
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
