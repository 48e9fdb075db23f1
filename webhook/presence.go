package webhook

import (
	"context"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// How long an answer is good for before it is asked again. An answer that has been there for twice as long is not given any
// more: it has become unknown.
const (
	presentFor = 60 * time.Second
	absentFor  = 2 * time.Second
	unknownFor = 10 * time.Second

	namesMax     = 8192
	namesShare   = namesMax / 8 // of one namespace: whoever may write in one must not make all others unknown
	pendingMax   = 1024
	pendingShare = pendingMax / 8
	probersMax   = 4
	probeTime    = 5 * time.Second
)

// SecretProber knows which Secrets exist without the right to read any. Exists answers from memory; a name that is new or
// whose answer is old is asked about in the background. It is bounded, and each namespace has a share of it: when that is full, it forgets.
type SecretProber struct {
	// Ask finds out about one Secret: ProbeSecret.
	Ask func(ctx context.Context, namespace, name string) gate.Fact[bool]
	Now func() time.Time

	mu      sync.Mutex
	names   map[string]map[string]*presence // by namespace and name
	kept    int                             // names in all
	asked   map[string]int                  // questions pending, by namespace
	pending chan client.ObjectKey
}

var _ SecretNames = (*SecretProber)(nil)

// presence is what is known of one name. The answer is unknown, with a zero time, until somebody has asked.
type presence struct {
	answer gate.Fact[bool]
	at     time.Time
	asking bool
}

// age says whether the answer should be asked for again, and whether it is too old to be given.
func (p *presence) age(now time.Time) (old, stale bool) {
	good := unknownFor
	if there, known := p.answer.Get(); known {
		good = absentFor
		if there {
			good = presentFor
		}
	}
	d := now.Sub(p.at)
	return d >= good, d >= 2*good
}

// Exists says whether the Secret exists, as far as is known by now.
func (s *SecretProber) Exists(namespace, name string) gate.Fact[bool] {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKey{Namespace: namespace, Name: name}
	p := s.recall(key)
	old, stale := p.age(s.Now())
	if old {
		s.ask(key, p)
	}
	if stale {
		return gate.Unknown[bool]("nobody has looked yet whether it exists")
	}
	return p.answer
}

// Again asks about the Secret in the background whatever is known of it.
func (s *SecretProber) Again(namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKey{Namespace: namespace, Name: name}
	s.ask(key, s.recall(key))
}

// Start asks until ctx ends.
func (s *SecretProber) Start(ctx context.Context) error {
	var group sync.WaitGroup
	pending := s.queue()
	for range probersMax {
		group.Go(func() {
			for {
				select {
				case key := <-pending:
					s.probe(ctx, key)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	group.Wait()
	return nil
}

// NeedLeaderElection says that every replica asks for itself.
func (s *SecretProber) NeedLeaderElection() bool { return false }

func (s *SecretProber) queue() chan client.ObjectKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line()
}

func (s *SecretProber) line() chan client.ObjectKey {
	if s.pending == nil {
		s.pending = make(chan client.ObjectKey, pendingMax)
	}
	return s.pending
}

func (s *SecretProber) probe(ctx context.Context, key client.ObjectKey) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	answer := s.Ask(ctx, key.Namespace, key.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.recall(key)
	if p.asking {
		s.asked[key.Namespace]--
	}
	if s.asked[key.Namespace] == 0 {
		delete(s.asked, key.Namespace)
	}
	p.answer, p.at, p.asking = answer, s.Now(), false
}

// ask queues a question, if it is not queued already. A full queue, or share of it, leaves it for the next time that somebody
// wants to know.
func (s *SecretProber) ask(key client.ObjectKey, p *presence) {
	if p.asking || s.asked[key.Namespace] >= pendingShare {
		return
	}
	select {
	case s.line() <- key:
		if s.asked == nil {
			s.asked = map[string]int{}
		}
		s.asked[key.Namespace]++
		p.asking = true
	default:
	}
}

// recall is what is kept of a name. When a namespace has too many names, one of its own goes; when there are too many in all,
// one of the namespace that has most.
func (s *SecretProber) recall(key client.ObjectKey) *presence {
	if p := s.names[key.Namespace][key.Name]; p != nil {
		return p
	}
	if len(s.names[key.Namespace]) >= namesShare {
		s.forget(key.Namespace)
	} else if s.kept >= namesMax {
		most := ""
		for ns, names := range s.names {
			if most == "" || len(names) > len(s.names[most]) {
				most = ns
			}
		}
		s.forget(most)
	}
	if s.names == nil {
		s.names = map[string]map[string]*presence{}
	}
	if s.names[key.Namespace] == nil {
		s.names[key.Namespace] = map[string]*presence{}
	}
	p := &presence{}
	s.names[key.Namespace][key.Name] = p
	s.kept++
	return p
}

// forgetLooks is how many names are looked at for one that nobody asks about any more, before any goes.
const forgetLooks = 16

// forget lets one name of a namespace go: one whose answer is too old to be given, if there is one at hand. What is being
// asked about stays, so that it is counted until its answer is here.
func (s *SecretProber) forget(namespace string) {
	now, looks, victim := s.Now(), 0, ""
	for name, p := range s.names[namespace] {
		if p.asking {
			continue
		}
		victim = name
		if _, stale := p.age(now); stale {
			break
		}
		if looks++; looks == forgetLooks {
			break
		}
	}
	if victim == "" {
		return // all are being asked about, which are fewer than may be kept
	}
	delete(s.names[namespace], victim)
	s.kept--
	if len(s.names[namespace]) == 0 {
		delete(s.names, namespace)
	}
}
