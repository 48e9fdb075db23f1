package webhook

import (
	"math"
	"time"

	"moorgate.dev/internal/gate"
)

// beats are the thirtieths of a wait at which a client comes again that is asked to wait: soon at first, for most opinions take
// a few seconds, and eight times in all, for clients give up after ten.
var beats = [...]time.Duration{1, 2, 4, 7, 11, 16, 22, 30}

// beatSlack is how close to a beat a client may come that means the one before.
const beatSlack = 250 * time.Millisecond

// again is after how many seconds a client should come again that has waited for so long already, of most. 0: it has waited
// enough. It depends on the time alone, so that every replica says the same, and who comes too early gains nothing.
func again(waited, most time.Duration) int32 {
	if waited >= most {
		return 0
	}
	for _, beat := range beats {
		if left := most*beat/30 - waited; left > beatSlack {
			return max(1, int32(math.Ceil(left.Seconds())))
		}
	}
	return 1
}

// clockGrace is how long after the end of a wait another change to the same workload is still answered at once: the client that
// waited comes a moment later, and what it brings may have been changed by others on its way.
const clockGrace = 10 * time.Second

// How many workloads are made to wait for a model at once, over all and of one namespace. Each comes again eight times at most, and
// a judge asks about a few at a time: who came later would wait in vain.
const (
	waitingMax = 64
	waitingOf  = 16
)

// room reports whether one more workload may be made to wait. One that waits already may go on.
func (w *Waits) room(ref gate.Ref, most time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all, near := 0, 0
	for other, at := range w.seen {
		if !at.asked || w.Now().Sub(at.since) >= most {
			continue
		}
		if other == ref {
			return true
		}
		all++
		if other.Namespace == ref.Namespace {
			near++
		}
	}
	return all < waitingMax && near < waitingOf
}

// clock is since when a client waits for a model's word about a workload, whatever the change: as this replica remembers, or
// since earliest, which is what the Cases tell; zero where they tell nothing. A wait that has begun for something missing counts.
func (w *Waits) clock(ref gate.Ref, earliest time.Time, most time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	since := now
	at := w.seen[ref]
	if at == nil {
		at = &waited{}
		w.keep(ref, at)
	}
	if !at.since.IsZero() && now.Sub(at.since) < most+clockGrace {
		since = at.since
	}
	if !earliest.IsZero() && earliest.Before(since) {
		since = earliest
	}
	at.since, at.last, at.asked = since, now, true
	return since
}
