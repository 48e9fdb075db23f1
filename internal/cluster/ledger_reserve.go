package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"moorgate.dev/internal/gate"
)

// Reserve spends one permit, before anything is done under it, and returns the id of its entry. It does so only on the ledger
// as it is in that moment: where a breaker is open, a budget is spent, the ledger is full or the clocks differ, nothing is
// spent and the reason says which.
//
// An error means that nobody can say, and nothing may be done; a permit may have been spent all the same. So it is with a
// process that ends before it acts: what is spent stays spent until it is too old to count.
func (l *Ledger) Reserve(ctx context.Context, p gate.Policy, next gate.Spent) (id string, refused *gate.Reason, err error) {
	next.ID, next.Result, next.Forgiven = rand.Text(), gate.ResultPending, false
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	var began time.Time
	err = l.change(ctx, func(b *book, now moment, underWay bool) (bool, error) {
		began = cmp.Or(began, now.own)
		if b.find(next.ID) >= 0 {
			return false, nil // an earlier try got through, though its answer did not
		}
		next.At = now.late()
		why, err := l.enter(b, p, next, now)
		if why != nil && underWay {
			return false, fmt.Errorf("an earlier try may still get through, though by now: %s", why.Text)
		}
		refused = why
		return why == nil, err
	})
	if err == nil && refused == nil {
		err = l.inTime(ctx, began)
	}
	if err != nil {
		return "", nil, fmt.Errorf("reserve %s on %s: %w", next.Verb, gate.OneLine(next.Target, 200), err)
	}
	if refused != nil {
		return "", refused, nil
	}
	return next.ID, nil, nil
}

// inTime is an error where it took too long: the stamp would be too old for what is done now. The wall clock is asked as well as
// the context, whose timer stands still while a machine sleeps.
func (l *Ledger) inTime(ctx context.Context, began time.Time) error {
	if took := l.Now().Round(0).Sub(began); took > l.patience() {
		return fmt.Errorf("it took %s, and may take %s", took, l.patience())
	}
	return ctx.Err()
}

// enter makes an entry in a book, or says why it may not be made.
func (l *Ledger) enter(b *book, p gate.Policy, next gate.Spent, now moment) (*gate.Reason, error) {
	if now.why != "" {
		return nil, fmt.Errorf("what time it is by the API server's clock is not known: %s", now.why)
	}
	if why := now.apart(); why != "" {
		return full(why), nil
	}
	at := l.expired(now)
	b.prune(at)
	if refused := b.ledger().Refuses(p, next, at); refused != nil {
		return refused, nil
	}
	before := b.size()
	b.entries = append(b.entries, next)
	if err := b.keep(); err != nil {
		return nil, err
	}
	switch grown := b.size() - before; {
	case len(b.entries) > maxSpent:
		return full(fmt.Sprintf("the ledger is full: there may be %d entries in %s", maxSpent, gate.LedgerKeeps)), nil
	case b.size() > maxReserve || grown > maxSpentBytes:
		return full(fmt.Sprintf("the ledger is full: it would have %d bytes, %d more than before, and there may be %d and %d", b.size(), grown, maxReserve, maxSpentBytes)), nil
	}
	return nil, nil
}

// expired is the time up to which everything counts that is younger than a window: what both clocks have reached, less the
// grace, and less the second that a Date header is cut by.
func (l *Ledger) expired(now moment) time.Time { return now.early().Add(-l.grace() - time.Second) }

// full is the reason of a ledger that takes nothing more.
func full(why string) *gate.Reason {
	return &gate.Reason{Rule: "ledger", Decision: gate.Hold, Text: why}
}
