package advise

import (
	"slices"

	"moorgate.dev/internal/gate"
)

// Foretold is what was said of a rollout before it was let in, and what became of it.
type Foretold struct {
	Score    gate.Fact[int]
	Decision string // of the verdict: Allow, Hold or Deny
	Outcome  string
}

// Gate is how well verdicts at the gate foretold what became of rollouts. Shares are from 0 to 1. What was Superseded, Gone or
// Unknown proves nothing and is counted apart.
type Gate struct {
	N      int            `json:"n"`
	Failed int            `json:"failed"`
	Few    bool           `json:"few"` // too few to conclude from
	Apart  map[string]int `json:"apart,omitempty"`
	// Decisions are the rollouts by verdict, Bands those with a score by score.
	Decisions []Lot `json:"decisions"`
	Bands     []Lot `json:"bands"`
	// Warned takes every verdict below Allow for a prediction of failure, Denied only Deny.
	Warned Foresight `json:"warned"`
	Denied Foresight `json:"denied"`
	// Missed are failures that scored best, the best first.
	Missed []Miss `json:"missed,omitempty"`
}

// Lot are some of the rollouts. Low and High are the 95 % Wilson interval of the share that failed, in whole percent, rounded
// outwards.
type Lot struct {
	Name   string `json:"name"`
	N      int    `json:"n"`
	Failed int    `json:"failed"`
	Low    int    `json:"low"`
	High   int    `json:"high"`
}

// Foresight is how well a kind of verdict foretells failure. Precision is the share of what it warned of that failed, Recall
// the share of failures that it warned of; unknown where there is nothing to take a share of.
type Foresight struct {
	N         int                `json:"n"`   // that it warned of
	Hit       int                `json:"hit"` // of these that failed
	Precision gate.Fact[float64] `json:"precision"`
	Recall    gate.Fact[float64] `json:"recall"`
}

// Miss is a rollout that failed with its score.
type Miss struct {
	Score   int    `json:"score"`
	Outcome string `json:"outcome"`
}

const missesMax = 5

// bands are the ranges of scores: below 50 the usual Guardrail denies, below 80 it warns.
var bands = []struct {
	name     string
	from, to int
}{{"0-49", 0, 49}, {"50-79", 50, 79}, {"80-99", 80, 99}, {"100", 100, 100}}

// Rollouts compares what was said of rollouts with what became of them.
func Rollouts(all []Foretold) Gate {
	g := Gate{Apart: map[string]int{}}
	for _, d := range []gate.Decision{gate.Allow, gate.Hold, gate.Deny} {
		g.Decisions = append(g.Decisions, Lot{Name: d.String()})
	}
	for _, b := range bands {
		g.Bands = append(g.Bands, Lot{Name: b.name})
	}
	for _, f := range all {
		failed := gate.RolloutFailed(f.Outcome)
		if !failed && f.Outcome != gate.RolloutAvailable {
			g.Apart[f.Outcome]++
			continue
		}
		g.N++
		if failed {
			g.Failed++
		}
		g.sort(f, failed)
	}
	g.Few = g.N < FewPredictions
	for _, lots := range [][]Lot{g.Decisions, g.Bands} {
		for i := range lots {
			lots[i].Low, lots[i].High = gate.Sure(lots[i].Failed, lots[i].N), AtMost(lots[i].Failed, lots[i].N)
		}
	}
	g.Denied = foresight(g.Failed, g.Decisions[2])
	g.Warned = foresight(g.Failed, g.Decisions[1], g.Decisions[2])
	slices.SortStableFunc(g.Missed, func(a, b Miss) int { return b.Score - a.Score })
	g.Missed = g.Missed[:min(len(g.Missed), missesMax)]
	return g
}

// sort puts a rollout into its lots.
func (g *Gate) sort(f Foretold, failed bool) {
	add := func(l *Lot) {
		l.N++
		if failed {
			l.Failed++
		}
	}
	for i := range g.Decisions {
		if g.Decisions[i].Name == f.Decision {
			add(&g.Decisions[i])
		}
	}
	score, known := f.Score.Get()
	if !known {
		return
	}
	for i, b := range bands {
		if score >= b.from && score <= b.to {
			add(&g.Bands[i])
		}
	}
	if failed {
		g.Missed = append(g.Missed, Miss{Score: score, Outcome: f.Outcome})
	}
}

func foresight(failed int, lots ...Lot) Foresight {
	var f Foresight
	for _, l := range lots {
		f.N, f.Hit = f.N+l.N, f.Hit+l.Failed
	}
	f.Precision, f.Recall = share(f.Hit, f.N), share(f.Hit, failed)
	return f
}

func share(of, all int) gate.Fact[float64] {
	if all == 0 {
		return gate.Unknown[float64]("there is none")
	}
	return gate.Known(float64(of) / float64(all))
}
