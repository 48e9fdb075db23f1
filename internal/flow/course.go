package flow

import (
	"slices"

	"moorgate.dev/internal/gate"
)

// Course decides a recorded past again in the order in which it happened, and remembers what would have been begun by itself
// and was not: that counts against budgets, attempts and cool-downs of what comes after, as it would have. Without this a week
// in which nothing was done would look as though a thousand actions fitted into any budget. What would have come of it nobody
// knows; it counts as done, neither healed nor failed. The zero Course has begun nothing.
//
// A policy under which nothing more is done than was makes the same of every record as Replay does.
type Course struct {
	begun []gate.Spent // oldest first
}

// Replay is as the function of that name, for the next record of the course.
func (c *Course) Replay(r gate.Record, p gate.Policy) (Replayed, error) {
	if r.Facts != nil {
		c.forget(*r.Facts)
	}
	out, err := replay(r, p, c.begun)
	if err != nil || out.Kind != gate.RecordVerdict || !out.Loosens() || out.After.Ending != Done {
		return out, err
	}
	if out.Area != AreaLive && out.Area != AreaGit {
		return out, nil
	}
	for _, id := range r.Assessment.Choice {
		s := gate.NewSpent(p, onMenu(*r.Facts, id), r.Assessment.Cause)
		s.At, s.Result = r.Facts.At, gate.ResultDone
		c.begun = append(c.begun, s)
	}
	return out, nil
}

// forget drops what no rule looks back on any more.
func (c *Course) forget(now gate.Facts) {
	c.begun = slices.DeleteFunc(c.begun, func(s gate.Spent) bool { return now.At.Sub(s.At) >= gate.LedgerKeeps })
}

// spentToo is the world in which begun was spent too. What was spent later than the facts were true is not known to them.
func spentToo(area Area, f gate.Facts, begun []gate.Spent) gate.Facts {
	l, known := f.Ledger.Get()
	if len(begun) == 0 || !known || area != AreaLive && area != AreaGit {
		return f
	}
	entries := slices.Clone(l.Entries)
	for _, s := range begun {
		if !s.At.After(f.At) {
			entries = append(entries, s)
		}
	}
	if len(l.Entries) > 0 {
		slices.SortStableFunc(entries, func(a, b gate.Spent) int { return a.At.Compare(b.At) })
	}
	l.Entries = entries
	f.Ledger = gate.Known(l)
	return f
}
