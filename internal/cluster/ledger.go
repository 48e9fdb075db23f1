package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
)

// Where the ledger is kept. moorgate install makes the ConfigMap, empty.
const (
	LedgerNamespace = "moorgate-system"
	LedgerName      = "moorgate-ledger"
)

const (
	ledgerGrace = time.Minute
	ledgerOwner = "moorgate-ledger"

	// changeTries are how often a change is tried before giving up. Of any number of writers one succeeds each time.
	changeTries   = 64
	changePause   = 2 * time.Millisecond // doubled each time, up to changeLongest, and then some part of that
	changeLongest = 128 * time.Millisecond
)

// Ledger is the permit ledger: what was spent, and which breakers are open, in one ConfigMap in the API server. Every process
// that may act shares it, and the ConfigMap's resourceVersion is all that they need to agree. See the package documentation
// for what holds when clocks jump and replies are lost.
type Ledger struct {
	// Now is this process's clock.
	Now func() time.Time
	// Grace is by how much longer than written every window is counted: what was reserved may be acted on until Grace after
	// its stamp, and the next window still holds no more than its budget. Reserve itself answers within a quarter of it, or
	// fails. 0: a minute.
	Grace time.Duration

	configMaps corev1client.ConfigMapInterface
}

// NewLedger returns the ledger of a cluster, as the identity in config may see it. Nothing is read yet.
func NewLedger(config *rest.Config, now func() time.Time) (*Ledger, error) {
	config = rest.CopyConfig(config)
	config.Wrap(noteDates)
	c, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the ledger: %w", err)
	}
	return &Ledger{Now: now, configMaps: c.ConfigMaps(LedgerNamespace)}, nil
}

// Read returns what was spent lately, which breakers are open, and what came of actions so far. A ledger that is missing or
// cannot be understood is an error, never an empty one.
func (l *Ledger) Read(ctx context.Context) (gate.Ledger, []gate.Tally, error) {
	b, _, err := l.look(ctx)
	if err != nil {
		return gate.Ledger{}, nil, err
	}
	return b.ledger(), b.tallies, nil
}

// grace is Grace with its default.
func (l *Ledger) grace() time.Duration {
	if l.Grace <= 0 {
		return ledgerGrace
	}
	return l.Grace
}

// patience is how long any call may take, from its first look on.
func (l *Ledger) patience() time.Duration { return l.grace() / 4 }

// look reads the ledger, with the time as the two clocks tell it in this moment.
func (l *Ledger) look(ctx context.Context) (*book, moment, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience()/3)
	defer cancel()
	ctx, date := notingDate(ctx)
	m, err := l.configMaps.Get(ctx, LedgerName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, moment{}, fmt.Errorf("read the ledger: there is no ConfigMap %s/%s, so nothing may be done (moorgate install makes it): %w", LedgerNamespace, LedgerName, err)
	case err != nil:
		return nil, moment{}, fmt.Errorf("read the ledger: %w", err)
	}
	now := momentOf(*date, l.Now())
	b, err := openBook(m)
	if err != nil {
		return nil, moment{}, fmt.Errorf("understand the ledger in ConfigMap %s/%s, so nothing may be done: %w", LedgerNamespace, LedgerName, err)
	}
	return b, now, nil
}

// change reads the ledger, lets how change it, and writes it back on the condition that nobody else wrote meanwhile, again and
// again until a write is known to have succeeded or how has nothing to write. An error says that nobody can say whether the
// change is there now.
//
// A write whose answer was lost may land later. It carries the resourceVersion that it was made from, and those never come
// back: once the object has another one, a write that is not in it by then never will be. While the object still has the same
// one, the next try is the way to find out: it is made from the same version, so one of the two lands and keeps the other out.
// Until then, how is told that one is under way. It must therefore recognise its own change in what it is given.
func (l *Ledger) change(ctx context.Context, how func(b *book, now moment, underWay bool) (write bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	version, last := "", error(nil)
	for try := range changeTries {
		if err := pause(ctx, try); err != nil {
			return errors.Join(err, last)
		}
		b, now, err := l.look(ctx)
		if err != nil {
			if last == nil {
				return err
			}
			last = err
			continue
		}
		write, err := how(b, now, b.m.ResourceVersion == version)
		if err != nil || !write {
			return err
		}
		version = b.m.ResourceVersion
		if last = l.write(ctx, b); last == nil {
			return nil
		}
		if final(last) {
			return last
		}
	}
	return fmt.Errorf("gave up after %d tries: %w", changeTries, last)
}

func (l *Ledger) write(ctx context.Context, b *book) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience()/3)
	defer cancel()
	if _, err := l.configMaps.Update(ctx, b.m, metav1.UpdateOptions{FieldManager: ledgerOwner}); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// final is whether a write failed in a way that another try would not change.
func final(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsNotFound(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// pause waits before a try, the longer the more there were, so that writers who meet do not meet again.
func pause(ctx context.Context, try int) error {
	if err := ctx.Err(); err != nil || try == 0 {
		return err
	}
	timer := time.NewTimer(rand.N(min(changePause<<min(try, 16), changeLongest)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
