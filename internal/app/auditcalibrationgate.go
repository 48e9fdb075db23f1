package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
)

// letIn holds by Case what became of each rollout that was let in. A record that is there twice counts once.
type letIn map[string]gate.Rollout

func (o letIn) add(r gate.Record) {
	if r.Kind == gate.RecordVerification && r.Rollout != nil && r.Correlation != "" {
		o[r.Correlation] = *r.Rollout
	}
}

// table compares what was said with what became of them; nil where there are none, or another face is asked for.
func (o letIn) table(face gate.Face) *advise.Gate {
	if len(o) == 0 || face != "" && face != gate.FaceWebhook {
		return nil
	}
	var all []advise.Foretold
	for _, name := range slices.Sorted(maps.Keys(o)) {
		outcome := o[name].Outcome
		if !slices.Contains(gate.RolloutOutcomes(), outcome) {
			outcome = otherLabel
		}
		all = append(all, advise.Foretold{Score: o[name].Score, Decision: o[name].Decision, Outcome: outcome})
	}
	g := advise.Rollouts(all)
	return &g
}

// gateText is the table of rollouts for people.
func gateText(g advise.Gate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nAt the gate: %s let in, of which %d failed", count(g.N, "rollout"), g.Failed)
	for _, outcome := range slices.Sorted(maps.Keys(g.Apart)) {
		fmt.Fprintf(&b, "; apart: %d %s", g.Apart[outcome], outcome)
	}
	b.WriteString(".\n")
	if g.Few {
		fmt.Fprintf(&b, "TOO FEW: fewer than %d prove nothing. What follows is what was seen, and no more.\n", advise.FewPredictions)
	}
	for _, part := range []struct {
		by   string
		lots []advise.Lot
	}{{"by verdict", g.Decisions}, {"by score", g.Bands}} {
		fmt.Fprintf(&b, "\n  %-12s%7s%9s%9s   sure of\n", part.by, "n", "failed", "share")
		for _, l := range part.lots {
			if l.N == 0 {
				continue
			}
			fmt.Fprintf(&b, "  %-12s%7d%9d%8.0f%%   %3d..%3d %%\n", l.Name, l.N, l.Failed, 100*float64(l.Failed)/float64(l.N), l.Low, l.High)
		}
	}
	b.WriteString("\n  as a prediction of failure      n  precision   recall\n")
	for _, p := range []struct {
		name string
		advise.Foresight
	}{{"warned (Hold or Deny)", g.Warned}, {"denied (Deny)", g.Denied}} {
		fmt.Fprintf(&b, "  %-26s%7d%11s%9s\n", p.name, p.N, percent(p.Precision), percent(p.Recall))
	}
	for _, m := range g.Missed {
		fmt.Fprintf(&b, "  scored %d, failed: %s\n", m.Score, m.Outcome)
	}
	return b.String()
}

func percent(f gate.Fact[float64]) string {
	if share, known := f.Get(); known {
		return fmt.Sprintf("%.0f%%", 100*share)
	}
	return "-"
}
