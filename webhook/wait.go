package webhook

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// A client waits and comes again by itself up to ten times for one request. These waits fill the deadline with fewer, so
// that the answer is ours and not "too many retries".
var waits = [...]int32{1, 1, 2, 2, 2}

const (
	waitDeadline = 10 * time.Second
	waitMemory   = time.Minute // after this the same rollout waits as if for the first time
	waitsMax     = 4096        // rollouts remembered
)

// Waits remembers which rollouts were asked to come again, and how often. It is bounded: when it is full, the oldest goes.
type Waits struct {
	Now func() time.Time

	mu   sync.Mutex
	seen map[gate.Ref]*waited
}

type waited struct {
	since, last time.Time // of this round of asking
	times       int
	asked       bool // it is a model that is waited for
}

// next is how many seconds the rollout should wait now; 0 means that it has waited enough. Who asks again after that waits
// once more, and only once: nothing is ever denied for what was last looked at before it was asked about.
func (w *Waits) next(ref gate.Ref) int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	at := w.seen[ref]
	if at == nil || now.Sub(at.last) > waitMemory {
		at = &waited{since: now}
		w.keep(ref, at)
	}
	at.last = now
	if at.times == 0 || at.since.IsZero() {
		at.since = now
	}
	if at.times == len(waits) || now.Sub(at.since) > waitDeadline {
		at.since, at.times = time.Time{}, len(waits)-1
		return 0
	}
	at.times++
	return waits[at.times-1]
}

func (w *Waits) keep(ref gate.Ref, at *waited) {
	if w.seen == nil {
		w.seen = map[gate.Ref]*waited{}
	}
	if len(w.seen) >= waitsMax {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(w.seen)), func(a, b gate.Ref) int { return w.seen[a].last.Compare(w.seen[b].last) })
		delete(w.seen, oldest)
	}
	w.seen[ref] = at
}

// forget ends the wait of a rollout that got its answer for another reason.
func (w *Waits) forget(ref gate.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.seen, ref)
}

// wait is how many seconds the client should wait because something is missing, or may be, that a Guardrail denies for
// and that may merely be late. Only what would be let in if it were there waits; a dry run never does, and no controller.
func (h *Handler) wait(ctx context.Context, seen sighting) int32 {
	ref := keyOf(seen.change.New.Ref)
	if seen.change.DryRun || seen.change.Steered || !denies(seen.policy) {
		return 0
	}
	if !waitsFor(ctx, seen) {
		h.Waits.forget(ref)
		return 0
	}
	seconds := h.Waits.next(ref)
	if seconds > 0 && h.Secrets != nil {
		for name, there := range seen.rollout.World.Secrets {
			if yes, _ := there.Get(); !yes {
				h.Secrets.Again(ref.Namespace, name)
			}
		}
	}
	return seconds
}

// denies reports whether some Guardrail that can refuse does so for what is missing.
func denies(p gate.Policy) bool {
	return slices.ContainsFunc(p.Rails, func(r gate.Rail) bool {
		return r.DenyPending && r.Admission == gate.AdmissionEnforce && len(r.Paused) == 0 && r.Unreadable == ""
	})
}

// waitsFor reports whether the verdict hangs on what may be late: denied as things stand, or if everything that is unknown
// were missing, and not denied if what is missing did not count.
func waitsFor(ctx context.Context, seen sighting) bool {
	lenient := gate.Policy{Rails: slices.Clone(seen.policy.Rails)}
	for i := range lenient.Rails {
		lenient.Rails[i].DenyPending = false
	}
	refused := func(p gate.Policy, a gate.Assessment) bool { return p.Refuses(gate.Decide(p, a, seen.question.Facts)) }
	if refused(lenient, seen.assessment) {
		return false
	}
	if refused(seen.policy, seen.assessment) {
		return true
	}
	bleak, changed := bleakest(seen.rollout)
	if !changed {
		return false
	}
	return refused(seen.policy, checks.Advisor(bleak).Advise(ctx, seen.question))
}

// bleakest is the rollout with every Secret missing whose existence is not known yet.
func bleakest(r checks.Rollout) (checks.Rollout, bool) {
	changed := false
	r.World.Secrets = maps.Clone(r.World.Secrets)
	for name := range checks.ReferencesOf(r.Old, r.New).Secrets {
		if _, known := r.World.Secrets[name].Get(); known {
			continue
		}
		if r.World.Secrets == nil {
			r.World.Secrets = map[string]gate.Fact[bool]{}
		}
		r.World.Secrets[name], changed = gate.Known(false), true
	}
	return r, changed
}
