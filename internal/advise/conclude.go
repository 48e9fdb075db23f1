package advise

import (
	"slices"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// conclude makes one assessment of what models said, held against the question as it is now. The expert's word counts before that
// of triage. Of several looks the largest group that came to the same cause and choice counts, and of equal groups the one whose
// choice reaches less far; in the group, the look that gives the lowest score.
func (p *Panel) conclude(q flow.Question, r prompts.Rendered, said looks) gate.Assessment {
	all := slices.Concat(said.triage, said.expert)
	voices := said.expert
	if len(voices) == 0 {
		voices = said.triage
	}
	voices = slices.DeleteFunc(slices.Clone(voices), func(o Opinion) bool { return void(o, p.Terms[q.Signal.Face].Causes, q.Facts.Menu) != "" })
	if len(voices) == 0 {
		return silent("what models said names nothing that can be chosen now")
	}
	first := loudest(voices, q.Facts.Menu)
	group := slices.DeleteFunc(slices.Clone(voices), func(o Opinion) bool { return !same(o, first) })
	agreement := agree(all, first, said.unusable)
	var out gate.Assessment
	for i, o := range group {
		a := p.assess(q, r, o, agreement)
		if i == 0 || less(a.Score, out.Score) {
			out = a
		}
	}
	out.Agreement, out.Escalated = agreement, said.escalated
	return out
}

// assess is what one opinion is worth.
func (p *Panel) assess(q flow.Question, r prompts.Rendered, o Opinion, agreement gate.Fact[int]) gate.Assessment {
	g := ground(o, r, q.Claims, p.Door)
	score := 100 - pointsUngrounded*(g.dropped+g.contradicted)
	for _, f := range g.findings {
		score -= f.Points
	}
	score = max(0, min(score, o.Score, 100))
	verb := ""
	if len(o.Choice) > 0 {
		i := slices.IndexFunc(q.Facts.Menu, func(a gate.Action) bool { return a.ID == o.Choice[0] })
		verb = q.Facts.Menu[i].Verb
	}
	return gate.Assessment{Advisor: advisorName, Cause: o.Cause, Choice: slices.Clone(o.Choice), Findings: g.findings, Ungrounded: g.dropped, Score: gate.Known(score),
		Confidence: gate.Known(confidence(o.Confidence, g, agreement, q.Facts.History, o.Cause, verb))}
}

// same is whether two opinions come to the same: the cause, and the first thing to do.
func same(a, b Opinion) bool { return a.Cause == b.Cause && first(a.Choice) == first(b.Choice) }

func first(choice []string) string {
	if len(choice) == 0 {
		return ""
	}
	return choice[0]
}

// loudest is an opinion of the largest group.
func loudest(voices []Opinion, menu []gate.Action) Opinion {
	best, most := voices[0], 0
	for _, o := range voices {
		n := 0
		for _, other := range voices {
			if same(o, other) {
				n++
			}
		}
		if n > most || n == most && reachOf(o, menu) > reachOf(best, menu) {
			best, most = o, n
		}
	}
	return best
}

// reachOf is how far what an opinion chose reaches. To choose nothing reaches nowhere.
func reachOf(o Opinion, menu []gate.Action) gate.Reach {
	if len(o.Choice) == 0 {
		return gate.ReachNothing
	}
	return reach(o.Choice[0], menu)
}

// agree is the share of looks that came to the same as the one that counts. An answer that could not be used came to nothing. One
// look agrees with nobody.
func agree(all []Opinion, with Opinion, unusable int) gate.Fact[int] {
	n := len(all) + unusable
	if n < 2 {
		return gate.Unknown[int]("a model took only one look")
	}
	agreeing := 0
	for _, o := range all {
		if same(o, with) {
			agreeing++
		}
	}
	return gate.Known(100 * agreeing / n)
}

// less is whether one number is lower than another; one that is not known is the lowest.
func less(a, b gate.Fact[int]) bool {
	x, knowsX := a.Get()
	y, knowsY := b.Get()
	return knowsY && (!knowsX || x < y)
}
