package webhook

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// How long an answer is good for before it is asked again. An answer that has been there for twice as long is not given any
// more: it has become unknown.
const (
	presentFor = 60 * time.Second
	absentFor  = 2 * time.Second
	unknownFor = 10 * time.Second

	namesMax   = 8192
	probersMax = 4
	probeTime  = 5 * time.Second
)

// SecretProber knows which Secrets exist without the right to read any. Exists answers from memory; a name that is new or
// whose answer is old is asked about in the background. It is bounded: when it is full, it forgets.
type SecretProber struct {
	// Ask finds out about one Secret: ProbeSecret.
	Ask func(ctx context.Context, namespace, name string) gate.Fact[bool]
	Now func() time.Time

	mu      sync.Mutex
	names   map[client.ObjectKey]*presence
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
		s.pending = make(chan client.ObjectKey, namesMax/8)
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
	p.answer, p.at, p.asking = answer, s.Now(), false
}

// ask queues a question, if it is not queued already. A full queue leaves it for the next time that somebody wants to know.
func (s *SecretProber) ask(key client.ObjectKey, p *presence) {
	if p.asking {
		return
	}
	select {
	case s.line() <- key:
		p.asking = true
	default:
	}
}

// recall is what is kept of a name. When there are too many names, those that nobody asks about any more go first.
func (s *SecretProber) recall(key client.ObjectKey) *presence {
	if p := s.names[key]; p != nil {
		return p
	}
	if s.names == nil {
		s.names = map[client.ObjectKey]*presence{}
	}
	if len(s.names) >= namesMax {
		s.sweep()
	}
	p := &presence{}
	s.names[key] = p
	return p
}

func (s *SecretProber) sweep() {
	now := s.Now()
	for key, p := range s.names {
		if _, stale := p.age(now); stale && !p.asking {
			delete(s.names, key)
		}
	}
	for key := range s.names { // all are fresh: any of them may go
		if len(s.names) < namesMax {
			return
		}
		delete(s.names, key)
	}
}

// ProbeSecret returns a question that is asked by a dry run: creating a Secret that exists fails with AlreadyExists, and one
// that would succeed says that there is none. Any other answer, as where the dry run is not allowed, means that we do not
// know. The Secret in the dry run is empty, and nothing is ever stored.
func ProbeSecret(c client.Client) func(ctx context.Context, namespace, name string) gate.Fact[bool] {
	return func(ctx context.Context, namespace, name string) gate.Fact[bool] {
		empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeOpaque}
		err := c.Create(ctx, empty, client.DryRunAll)
		switch {
		case err == nil:
			return gate.Known(false)
		case apierrors.IsAlreadyExists(err):
			return gate.Known(true)
		}
		return gate.Unknown[bool]("asking whether it exists failed: " + because(err))
	}
}
