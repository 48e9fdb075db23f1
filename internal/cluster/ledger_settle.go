package cluster

import (
	"context"
	"fmt"
	"slices"

	"moorgate.dev/internal/gate"
)

// Settle says what came of what was reserved under an id, and opens the breakers that follow from it. It may be said again; a
// result that was verified is never taken back, and is counted once for its cause and verb. What was settled differently
// before, or is so old that the ledger has dropped it, is an error.
//
// Settling asks for no clock: it takes nothing off, and a breaker that opens a little early or late is still opened.
func (l *Ledger) Settle(ctx context.Context, id string, result gate.Result) error {
	err := l.change(ctx, func(b *book, now moment, _ bool) (bool, error) {
		i := b.find(id)
		if i < 0 {
			return false, fmt.Errorf("there is no such entry (they are kept for %s)", gate.LedgerKeeps)
		}
		before := b.entries[i].Result
		switch {
		case rank(result) <= 0:
			return false, fmt.Errorf("%q is no result", result)
		case before == result, rank(before) > rank(result) && result != gate.ResultRefused:
			return false, nil
		case rank(before) >= rank(result), before == gate.ResultRefused:
			return false, fmt.Errorf("it was settled as %s before", before)
		}
		b.entries[i].Result = result
		if result.Verified() {
			b.count(b.entries[i])
		}
		if err := b.keep(); err != nil {
			return false, err
		}
		return true, b.trip(now)
	})
	if err != nil {
		return fmt.Errorf("settle entry %s of the ledger as %s: %w", gate.OneLine(id, 80), result, err)
	}
	return nil
}

// rank is how much is known by a result. It only grows. Something that is no result has none.
func rank(r gate.Result) int {
	switch r {
	case gate.ResultPending:
		return 0
	case gate.ResultUnknown:
		return 1
	case gate.ResultRefused, gate.ResultDone:
		return 2
	case gate.ResultHealed, gate.ResultIneffective, gate.ResultWorsened:
		return 3
	}
	return -1
}

// count adds a verified entry to the tally of its cause and verb. Where there are too many tallies a new one is not begun: no
// history is what a human is asked about.
func (b *book) count(s gate.Spent) {
	i := slices.IndexFunc(b.tallies, func(t gate.Tally) bool { return t.Cause == s.Cause && t.Verb == s.Verb })
	if i < 0 {
		if len(b.tallies) >= maxTallies {
			return
		}
		i = len(b.tallies)
		b.tallies = append(b.tallies, gate.Tally{Cause: s.Cause, Verb: s.Verb})
	}
	b.tallies[i].Tried++
	if s.Result == gate.ResultHealed {
		b.tallies[i].Healed++
	}
}

// trip opens the breakers that the ledger calls for.
func (b *book) trip(now moment) error {
	for _, t := range b.ledger().Trips(now.early()) {
		if err := b.put(keyBreaker+scope(t.Namespace), breaker{Since: t.Since, Why: t.Why}); err != nil {
			return err
		}
	}
	return nil
}
