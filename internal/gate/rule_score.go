package gate

import (
	"cmp"
	"fmt"
)

// The law: what scores below denyBelow is denied, what scores below warnBelow needs a human's eye, such as an approval of the
// plan, and a hard failure denies at any score. A score or a threshold that is missing or makes no sense is one that was not
// met.
//
// Some findings are too weak to refuse by themselves. What may merely not be there yet counts towards a denial only where
// the Guardrail says denyPending. What is about the recent past or the present load never counts towards the denial of a
// rollback or of a change to a workload that is failing now: the gate must not block the fix. Nor does it where these two
// could not be established, unless something is to be done in Git or live. What was true before the change already, or of the revision that it goes back to, never counts
// towards a denial at all. What a model found counts towards the denial of a rollout only where the Guardrail says denyAdvised. Excused findings still count towards the warning.
//
// However much is excused, what is not excused keeps its weight: the score that stands against denyBelow is never above 100
// less the points of the findings that count.
var scoreRule = rule{
	doc: Doc{ID: "score", Since: "v0.1", Severity: Deny, Title: "Score",
		Text: "Below denyBelow, or with a hard failure: denied. Below warnBelow: a human's eye; an approval of the plan is one. Findings about what is not there yet count towards a denial only with denyPending; findings about the recent past never count against a rollback or a change to a failing workload; what was true before the change never counts; what a model found counts against a rollout only with denyAdvised."},
	weigh: weighScore,
}

func weighScore(r *Rail, m *matter) (Decision, string) {
	if m.Silent != "" {
		return Allow, "" // the silence rule speaks
	}
	score, err := number(m.Score, "score")
	if err != nil {
		return Deny, err.Error()
	}
	denyBelow, err := number(r.DenyBelow, "denyBelow")
	if err != nil {
		return Deny, err.Error()
	}
	warnBelow, err := number(r.WarnBelow, "warnBelow")
	if err != nil {
		return Deny, err.Error()
	}
	excused, counted := 0, 0
	for i := range m.Findings {
		x := &m.Findings[i]
		points := min(max(x.Points, 0), 100)
		if excuse(x, r, m) {
			excused += points
			continue
		}
		counted += points
		if x.Hard {
			return Deny, cmp.Or(x.Text, "a hard failure: "+x.ID)
		}
	}
	if standing := max(0, min(score+excused, 100-counted)); standing < denyBelow {
		return Deny, fmt.Sprintf("score %d is below %d", standing, denyBelow)
	}
	if score < warnBelow && !m.approved(r) {
		return Hold, fmt.Sprintf("score %d is below %d", score, warnBelow)
	}
	return Allow, ""
}

// excuse reports whether a finding is too weak to count towards a denial here.
func excuse(x *Finding, r *Rail, m *matter) bool {
	switch x.Nature {
	case Standing:
		return true
	case Pending:
		return !r.DenyPending
	case Advised:
		return !r.DenyAdvised && !m.acts(ReachGit)
	case Recent:
		rollback, knownRollback := m.Rollback.Get()
		failing, knownFailing := m.Failing.Get()
		return rollback || failing || (!knownRollback || !knownFailing) && !m.acts(ReachGit)
	}
	return false
}

func number(n Fact[int], name string) (int, error) {
	v, ok := n.Get()
	if !ok {
		return 0, fmt.Errorf("there is no %s: %s", name, n.Why())
	}
	v, err := percent(v)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}
