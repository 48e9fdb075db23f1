package drift

import "time"

// Where two write to the same field in turns, as two controllers that each want their own, or a person and a delivery, to adopt the value
// of the moment would take the side of one of them, and be put back by the other.

const (
	// A field that began to differ so often within the window is fought over.
	fightFrom   = 3
	fightWindow = time.Hour
)

// began takes note of which fields differ now, and tells how often each of them began to within the window: what differs since the last
// look began once. A field of another object of the same name has no past.
func (p *past) began(uid string, now time.Time, drifts []Drift) map[string]int {
	if p.uid != uid {
		p.differed, p.turns = nil, nil
	}
	turns, differed, times := map[string][]time.Time{}, map[string]bool{}, map[string]int{}
	recent := func(field string) []time.Time {
		var kept []time.Time
		for _, at := range p.turns[field] {
			if now.Sub(at) < fightWindow {
				kept = append(kept, at)
			}
		}
		return kept
	}
	for field := range p.turns {
		if kept := recent(field); len(kept) > 0 {
			turns[field] = kept
		}
	}
	for _, d := range drifts {
		field := d.Path.String()
		if differed[field] = true; !p.differed[field] {
			turns[field] = append(turns[field], now)
		}
		times[field] = len(turns[field])
	}
	p.differed, p.turns = differed, turns
	return times
}

// fought reports whether a drift is about a field that is fought over.
func (d Drift) fought() bool { return d.Turns >= fightFrom }
