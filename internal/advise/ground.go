package advise

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// The law: a finding stands on something. It cites evidence that the model was shown, and either repeats words that stand in it,
// letter by letter, or makes a claim that code has checked and found true. What does neither is dropped and costs points, because
// who makes things up is wrong about more than these; what code knows to be false costs them twice.
const (
	quoteLeast       = 8 // characters; fewer stand anywhere
	pointsUngrounded = 10
	maxFindings      = 8
	maxFindingText   = 300
)

// grounded is what is left of a model's findings.
type grounded struct {
	findings     []gate.Finding
	dropped      int // of those that it made
	contradicted int // of the dropped: code knows better
}

// ground holds the findings of an opinion against what the model was shown and what code has checked.
func ground(o Opinion, r prompts.Rendered, claims map[flow.Claim]gate.Fact[bool], door *redact.Door) grounded {
	var g grounded
	for i, f := range o.Findings {
		stands, contradicted := i < maxFindings && cites(f, r.Shown), false
		if stands {
			stands, contradicted = bears(f, r.Shown, claims)
		}
		if !stands {
			g.dropped++
			if contradicted {
				g.contradicted++
			}
			continue
		}
		g.findings = append(g.findings, gate.Finding{ID: fmt.Sprintf("model-%d", len(g.findings)+1), Nature: gate.Advised, Evidence: slices.Clone(f.Evidence),
			Points: min(max(f.Points, 0), 100), Text: "the model: " + gate.OneLine(door.Text(f.Text), maxFindingText)})
	}
	return g
}

// cites is whether a finding names evidence, all of which was shown.
func cites(f Finding, shown map[string]string) bool {
	for _, id := range f.Evidence {
		if _, ok := shown[id]; !ok {
			return false
		}
	}
	return len(f.Evidence) > 0
}

// bears is whether a claim is known to be true or a quote stands in the evidence. A claim that code knows to be false is
// contradicted, whatever is quoted beside it.
func bears(f Finding, shown map[string]string, claims map[flow.Claim]gate.Fact[bool]) (stands, contradicted bool) {
	if f.Claim != nil {
		holds, known := claims[*f.Claim].Get()
		if known {
			return holds, !holds
		}
	}
	quote := squeeze(f.Quote)
	if len(quote) < quoteLeast {
		return false, false
	}
	return slices.ContainsFunc(f.Evidence, func(id string) bool { return strings.Contains(squeeze(shown[id]), quote) }), false
}

// squeeze makes all white space one space, which is all that a model may change about what it repeats.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// void says why an opinion is worth nothing as a whole: it names what it was not offered. Who invents one thing is not asked about
// another.
func void(o Opinion, causes []prompts.Cause, menu []gate.Action) string {
	if !slices.ContainsFunc(causes, func(c prompts.Cause) bool { return c.ID == o.Cause }) {
		return fmt.Sprintf("it named the cause %q, which is none of %d", gate.OneLine(o.Cause, 60), len(causes))
	}
	for _, id := range o.Choice {
		if !slices.ContainsFunc(menu, func(a gate.Action) bool { return a.ID == id }) {
			return fmt.Sprintf("it chose %q, which is not on the menu", gate.OneLine(id, 60))
		}
	}
	return ""
}
