package advise

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
)

// caseLives is how far back a Case's own spending matters.
const caseLives = 8 * 24 * time.Hour

// turnMost is how long after its record a call may have been sent. Within it of midnight a call counts for both days, because
// nobody knows on which it was.
const turnMost = 10 * time.Minute

// SpendSince is from when on records matter to a Spend that begins now: the month's, and those of Cases that still live.
func SpendSince(now time.Time) time.Time {
	y, m, _ := now.UTC().Date()
	month := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	if lives := now.Add(-caseLives); lives.Before(month) {
		return lives
	}
	return month.Add(-turnMost)
}

// Replay counts what the audit log says was spent before. A call that was asked and of which no answer is recorded counts with all
// that was reserved for it. Records of other kinds, and those from before SpendSince, are passed over; one from the future counts
// as of now. It is called before the first call.
//
// An error says how many records could not be read; the others are counted all the same, and what those spent is not known.
func (s *Spend) Replay(records iter.Seq2[gate.Record, error], now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, asked := SpendSince(now), map[string]charge{}
	unread, first := 0, error(nil)
	for r, err := range records {
		if err != nil {
			if unread++; first == nil {
				first = err
			}
			continue
		}
		if r.Kind != gate.RecordModel || r.Model == nil || r.At.Before(since) {
			continue
		}
		at := r.At
		if at.After(now) {
			at = now
		}
		before, known := asked[r.Model.ID]
		if r.Model.Answered == "" && r.Model.Failed == "" {
			c := charge{s.both(ownerOf(r.Correlation, ""), at), s.reserved(*r.Model)}
			c.add()
			if r.Model.ID != "" {
				asked[r.Model.ID] = c
			}
			continue
		}
		if known {
			delete(asked, r.Model.ID)
			before.take()
		} else {
			before = charge{s.both(ownerOf(r.Correlation, ""), at), s.reserved(*r.Model)}
		}
		charge{before.to, s.recorded(*r.Model, before.of)}.add()
	}
	if first != nil {
		return fmt.Errorf("count what models cost before: %d records could not be read, the first: %w", unread, first)
	}
	return nil
}

// charge is an amount that was counted somewhere.
type charge struct {
	to []*account
	of amount
}

func (c charge) add() {
	for _, a := range c.to {
		a.spent = a.spent.plus(c.of)
	}
}

func (c charge) take() {
	for _, a := range c.to {
		a.spent = a.spent.minus(c.of)
	}
}

// both are the accounts of a call that was recorded at a time and sent at most turnMost later, each once.
func (s *Spend) both(o owner, at time.Time) []*account {
	all := s.accounts(o, at)
	if later := at.Add(turnMost); dayOf(later) != dayOf(at) {
		for _, a := range s.accounts(o, later) {
			if a != all[0] && a != all[1] && a != all[2] && a != all[3] {
				all = append(all, a)
			}
		}
	}
	return all
}

// reserved is the most that a recorded call can have cost.
func (s *Spend) reserved(x gate.Exchange) amount {
	tokens := max(int64(x.Reserved), 0)
	return amount{tokens, s.dearest(Tier(x.Tier)).most(tokens)}
}

// recorded is what a recorded call cost, where most was reserved for it.
func (s *Spend) recorded(x gate.Exchange, most amount) amount {
	used := tokens(Usage{In: x.TokensIn, Out: x.TokensOut})
	kind, _, _ := strings.Cut(x.Failed, ":")
	if used == 0 && x.MicroUSD == 0 && (x.Failed == "" || !costsNothing(FailureKind(kind))) {
		return most
	}
	micro := max(x.MicroUSD, 0)
	if micro == 0 {
		micro = s.dearest(Tier(x.Tier)).most(used)
	}
	return amount{used, micro}
}

// dearest is the price of a tier, or of one that nobody knows the dearest of all.
func (s *Spend) dearest(t Tier) Price {
	if p, known := s.limits.Prices[t]; known {
		return p
	}
	var all Price
	for _, p := range s.limits.Prices {
		all = Price{In: max(all.In, p.In), Cached: max(all.Cached, p.Cached), Out: max(all.Out, p.Out)}
	}
	return all
}
