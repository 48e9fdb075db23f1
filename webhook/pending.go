package webhook

import (
	"context"
	"slices"
	"time"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// The law: a rollout that the checks let in waits for a model's word where the Guardrail lets a model deny and wants it waited
// for, and only where that word could change the answer, somebody is there to be asked, and the wait is not over. The wait
// belongs to the workload, not to what is applied: what comes within it is part of it. Then the checks alone decide, and
// say so. So they do where many wait already. Dry runs never wait, nor do the cluster's own controllers and what they own.

// pending is how a rollout stands with a model's word. The zero pending has nothing to do with one.
type pending struct {
	// on and seconds say that the client has to wait, and how.
	on      gate.OnPending
	seconds int32
	open    bool // its Case is to be opened
	// held is whether the answer belongs onto the Case of a wait.
	held bool
	// note says what became of a model's word, where the answer has to tell.
	note string
}

// beingAsked is why a model was not heard yet.
const beingAsked = "a model is being asked"

func (p pending) waits() bool { return p.seconds > 0 }

// pend finds out whether a rollout waits for a model's word, and takes in what was heard.
func (h *Handler) pend(ctx context.Context, seen *sighting) pending {
	on, most := seen.policy.OnPending()
	if on == gate.PendingWarn || h.Cases == nil || !matters(*seen) {
		return pending{}
	}
	all, err := hearer{cases: h.Cases, now: h.Now(), most: most}.hear(ctx, *seen)
	if err != nil {
		h.Logger.WarnContext(ctx, "look for what was heard about a rollout", "error", err)
		return pending{note: "no model's word was waited for: the Cases cannot be read"}
	}
	opinion, in, alone := word(all.kase)
	if all.kase != nil {
		seen.call(all.signal)
	}
	switch away := h.Advice.Away(); {
	case opinion:
		seen.take(Advised(seen.assessment, all.kase.Status.Opinion))
		return pending{held: true}
	case in:
		return pending{held: true, note: "no model had a word, the checks alone decided: " + alone}
	case away != "":
		return pending{held: all.kase != nil, note: "no model's word was waited for: " + away}
	}
	if all.kase == nil && !h.Waits.room(keyOf(seen.change.New.Ref), most) {
		return pending{note: "no model's word was waited for: too many rollouts wait for one already"}
	}
	since := h.Waits.clock(keyOf(seen.change.New.Ref), all.earliest, most)
	if first := firstSeen(all); !first.IsZero() && first.Before(since) {
		since = first
	}
	seconds := again(h.Now().Sub(since), most)
	if seconds == 0 {
		return pending{held: all.kase != nil, note: "no model had a word within " + most.String() + ": the checks alone decided"}
	}
	seen.call(all.signal)
	return pending{on: on, seconds: seconds, open: all.kase == nil && all.asked < askedMax}
}

// firstSeen is when the client was first asked to wait with this very change, however long ago that is.
func firstSeen(all heard) time.Time {
	if all.kase == nil {
		return time.Time{}
	}
	return all.kase.Spec.Signal.FirstSeen.Time
}

// matters is whether a model's word could change the answer: a real change to a template, by somebody who can wait, that the
// checks let in, that is left open, and that the policy would refuse if a model found enough.
func matters(seen sighting) bool {
	c := seen.change
	if c.DryRun || c.Steered || c.Afterwards || !checks.TemplateChanged(c.Old, c.New) {
		return false
	}
	if asks, _ := flow.Asks(seen.policy.Asking(), seen.assessment); !asks {
		return false
	}
	refuses := func(a gate.Assessment) bool {
		return seen.policy.Refuses(gate.Decide(seen.policy, a, seen.question.Facts))
	}
	worst := seen.assessment
	worst.Score = gate.Known(0)
	worst.Findings = append(slices.Clone(worst.Findings), gate.Finding{ID: "model", Text: "the worst that a model could find", Points: 100, Nature: gate.Advised})
	return !refuses(seen.assessment) && refuses(worst)
}

// call names the happening anew.
func (s *sighting) call(signal gate.Signal) {
	s.question.Signal, s.question.Case = signal, cluster.CaseRef(signal)
}

// take is a new opinion, and what follows from it.
func (s *sighting) take(a gate.Assessment) {
	s.assessment = a
	s.decision = gate.Decide(s.policy, a, s.question.Facts).Decision
}

// keyOf is a workload without what may differ between two requests about it.
func keyOf(r gate.Ref) gate.Ref {
	return gate.Ref{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
}
