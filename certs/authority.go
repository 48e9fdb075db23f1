package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrConflict is what a Store answers when somebody else saved first.
var ErrConflict = errors.New("somebody else saved first")

// maxTries bounds how often Ensure re-reads after somebody else saved first.
const maxTries = 8

// Store keeps a few small files where every replica finds them.
type Store interface {
	// Load returns the files and the version they stand at. Nothing stored yet is not an error.
	Load(ctx context.Context) (files map[string][]byte, version string, err error)
	// Save replaces the files if they still stand at version; if not, the answer is ErrConflict and nothing was written.
	Save(ctx context.Context, files map[string][]byte, version string) error
}

// Authority keeps one serving certificate. Fill in the exported fields, call Ensure until it succeeds, serve with TLS, and
// let Run renew. It must not be copied.
type Authority struct {
	Store Store
	// DNSNames and IPs are what clients call the server.
	DNSNames []string
	IPs      []net.IP
	Now      func() time.Time
	// Ticks is when Run looks again. Once a minute is right: it is how fast a replica serves what another one renewed.
	Ticks <-chan time.Time
	// Publish hands CABundle to whoever must trust us, each time that Ensure ran, so that it also repairs what somebody
	// undid. It must write only what differs. Nil publishes nothing.
	Publish func(ctx context.Context, caBundle []byte) error
	// Report hears of every failed Run and of every renewal, with its reasons. Nil is silent.
	Report func(b Bundle, err error)

	terms   terms // the zero terms mean the usual ones
	mu      sync.Mutex
	serving atomic.Pointer[stored]
}

// Bundle is what is being served.
type Bundle struct {
	CABundle []byte    // PEM: every root that a client should trust now
	NotAfter time.Time // when the serving certificate ends
	RenewAt  time.Time // when it will be renewed
	Renewed  []string  // why this call wrote to the Store; empty if it did not
}

// Ensure looks at the Store, renews what is due, and from then on serves what is stored. When it fails, what was served
// before is served on. Several replicas may call it at once: all end up with the same.
func (a *Authority) Ensure(ctx context.Context) (Bundle, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, why, err := a.agree(ctx)
	if err != nil {
		return Bundle{}, err
	}
	a.serving.Store(&s)
	b := Bundle{CABundle: s.rootsPEM(), NotAfter: s.leaf.cert.NotAfter, RenewAt: RenewAt(s.leaf.cert), Renewed: why}
	if a.Publish != nil {
		if err := a.Publish(ctx, b.CABundle); err != nil {
			return b, fmt.Errorf("publish the roots to trust: %w", err)
		}
	}
	return b, nil
}

// agree is the state that every replica agrees on: the stored one, or the next one once it is stored.
func (a *Authority) agree(ctx context.Context) (stored, []string, error) {
	w := wish{terms: a.terms, names: a.DNSNames, ips: a.IPs}
	if w.terms == (terms{}) {
		w.terms = usual
	}
	for range maxTries {
		files, version, err := a.Store.Load(ctx)
		if err != nil {
			return stored{}, nil, fmt.Errorf("load the serving certificate: %w", err)
		}
		s := parse(files)
		recalled := a.recall(&s)
		n, why, err := w.next(s, a.Now())
		if err != nil {
			return stored{}, nil, err
		}
		if recalled {
			why = append(why, "what was stored could not be read, so what is being served was stored again")
		}
		if len(why) == 0 {
			return n, nil, nil
		}
		if err = a.save(ctx, n, version); err == nil {
			return n, why, nil
		}
		if !errors.Is(err, ErrConflict) {
			return stored{}, nil, fmt.Errorf("save the serving certificate: %w", err)
		}
	}
	return stored{}, nil, fmt.Errorf("agree on a serving certificate: somebody else saved first, %d times", maxTries)
}

// recall replaces a state without a root by the one being served: clients trust that one's root already.
func (a *Authority) recall(s *stored) bool {
	served := a.serving.Load()
	if served == nil || len(canSign(s.roots, a.Now())) > 0 {
		return false
	}
	*s = *served
	return true
}

func (a *Authority) save(ctx context.Context, s stored, version string) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	return a.Store.Save(ctx, files, version)
}

// Run calls Ensure at every tick until ctx ends.
func (a *Authority) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.Ticks:
			b, err := a.Ensure(ctx)
			if a.Report != nil && (err != nil || len(b.Renewed) > 0) {
				a.Report(b, err)
			}
		}
	}
}

// GetCertificate is for tls.Config: the certificate being served, from memory.
func (a *Authority) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s := a.serving.Load()
	if s == nil {
		return nil, errors.New("there is no serving certificate yet")
	}
	return s.tls(), nil
}

// TLS is a server's configuration that serves with this Authority, over HTTP/2 too.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: a.GetCertificate}
}

// CABundle is every root that a client should trust now, as PEM; nil before Ensure has succeeded.
func (a *Authority) CABundle() []byte {
	s := a.serving.Load()
	if s == nil {
		return nil
	}
	return s.rootsPEM()
}

// Ready is nil while a client with a right clock accepts what is being served.
func (a *Authority) Ready() error {
	s := a.serving.Load()
	if s == nil {
		return errors.New("there is no serving certificate yet")
	}
	if state := Health(s.leaf.cert, a.Now()); state != Fresh && state != Due {
		return fmt.Errorf("the serving certificate is %s", state)
	}
	return nil
}
