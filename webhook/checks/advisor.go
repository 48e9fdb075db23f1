package checks

import (
	"context"
	"slices"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Admit is the menu id of letting the rollout in: the only thing that the checks ever choose.
const Admit = "admit"

// all holds every check, in the order in which findings are told.
var all = []Check{imageCheck, requestsCheck, readinessCheck, availabilityCheck, referencesCheck, quotaCheck, rangeCheck, fitCheck, healthCheck,
	budgetCheck, failingCheck, namespaceCheck, failedBeforeCheck, dependenciesCheck,
	servicesCheck, routesCheck, certificatesCheck,
	riskCheck, autoscalingCheck, underwayCheck, deprecatedCheck, deliveryCheck}

// All lists every check, for documentation.
func All() []Check { return slices.Clone(all) }

// Advisor returns the advisor that runs every check on the rollout.
func Advisor(r Rollout) flow.Advisor {
	return flow.AdvisorFunc(func(_ context.Context, q flow.Question) gate.Assessment { return Assess(r, q.Facts.Menu) })
}

// Assess runs every check on the rollout. The score is 100 less the points of the findings; the confidence is the share,
// weighted by points, of the checks that could be answered. What stood before the change is marked as that. A template that
// is too large is refused for that alone, and no check is answered.
func Assess(r Rollout, menu []gate.Action) gate.Assessment {
	a := gate.Assessment{Advisor: "checks", Agreement: gate.Known(100)}
	results := lookAll(r)
	stand(r, results)
	score, weight, answered := 100, 0, 0
	for i, c := range all {
		left := c.Points
		for _, f := range fewer(results[i].Findings) {
			if f.ID == "" {
				f.ID, f.Points = c.ID, min(f.Points, left)
			}
			left -= f.Points
			score -= f.Points
			a.Findings = append(a.Findings, f)
		}
		if results[i].Idle {
			continue
		}
		weight += c.Points
		if len(results[i].Unknown) == 0 {
			answered += c.Points
		}
	}
	if r.World.Around != nil && Oversize(r.New) == "" {
		placed := lookPlacement(r)
		weight += pointsPlacement
		if len(placed.Unknown) == 0 {
			answered += pointsPlacement
		}
		for _, f := range placed.Findings {
			f.ID = Placement
			score -= f.Points
			a.Findings = append(a.Findings, f)
		}
	}
	a.Score = gate.Known(max(0, score))
	a.Confidence = gate.Known(100 * answered / max(1, weight))
	if slices.ContainsFunc(menu, func(m gate.Action) bool { return m.ID == Admit }) {
		a.Choice = []string{Admit}
	}
	if !slices.ContainsFunc(a.Findings, func(f gate.Finding) bool { return f.Hard && f.Nature == gate.Lasting }) {
		a.Open = "whether the change itself is sound is not for a check to say"
	}
	return a
}

// lookAll returns what each check saw, in the order of all.
func lookAll(r Rollout) []Result {
	results := make([]Result, len(all))
	if f, large := lookSize(r); large {
		for i := range results {
			results[i].Unknown = []string{f.Text}
		}
		results[0].Findings = []gate.Finding{f}
		return results
	}
	for i, c := range all {
		results[i] = c.look(r)
	}
	return results
}
