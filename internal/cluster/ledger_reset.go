package cluster

import (
	"context"
	"errors"
	"fmt"

	"moorgate.dev/internal/gate"
)

// ErrNotOpen says that there is no open breaker to close.
var ErrNotOpen = errors.New("it is not open")

// Reset closes the breaker of a namespace, or, where that is empty, every breaker, for a human who has looked into it; why is
// kept beside the ledger. What went wrong until now opens no breaker again, and goes on counting everywhere else; what goes
// wrong from now on opens it as before. The fence of the ledger lets only humans do this who hold the verb reset on guardrails.
func (l *Ledger) Reset(ctx context.Context, namespace, why string) error {
	closed := false
	err := l.change(ctx, func(b *book, now moment, _ bool) (bool, error) {
		found := false
		for _, o := range b.open {
			if namespace == "" || o.Namespace == namespace {
				found = true
				delete(b.m.Data, keyBreaker+scope(o.Namespace))
			}
		}
		if !found && closed {
			return false, nil // an earlier try got through, though its answer did not
		}
		if !found {
			return false, ErrNotOpen
		}
		closed = true
		return true, b.forgive(namespace, reset{At: now.late(), Why: gate.OneLine(why, maxText)})
	})
	if err != nil {
		return fmt.Errorf("close the breaker of %s: %w", gate.Breaker{Namespace: gate.OneLine(namespace, 80)}.Scope(), err)
	}
	return nil
}

// forgive notes the bad results of a scope, with those that were forgiven there before and may still be looked at.
func (b *book) forgive(namespace string, r reset) error {
	r.Forgiven = map[string]gate.Result{}
	before := b.resets[scope(namespace)].Forgiven
	for _, s := range b.entries {
		if result, there := before[s.ID]; there {
			r.Forgiven[s.ID] = result
		}
		if s.Result.Bad() && (namespace == "" || s.Namespace == namespace) {
			r.Forgiven[s.ID] = s.Result
		}
	}
	return b.put(keyReset+scope(namespace), r)
}
