package gate

import (
	"fmt"
	"slices"
	"strings"
)

// The law: what is not allowed by name is not done. A Guardrail lists the verbs that may reach Git or further, the kinds that
// each may be done to, and bounds on the values that it may set. A value that cannot be read is out of bounds.
var actionRule = rule{
	doc: Doc{ID: "action", Since: "v0.2", Severity: Deny, Title: "Only what is allowed by name",
		Text: "An action whose verb or kind is not among a Guardrail's actions is denied, and so is one that sets a field beyond its bounds."},
	weigh: func(r Rail, a Assessment, f Facts) (Decision, string) {
		return each(a, f, ReachGit, func(x Action) (Decision, string) {
			allowed, ok := r.permitted(x.Verb)
			if !ok {
				return Deny, fmt.Sprintf("the action %q is not among the actions that this Guardrail allows", x.Verb)
			}
			if len(allowed.Kinds) > 0 && !slices.Contains(allowed.Kinds, x.Target.Kind) {
				return Deny, fmt.Sprintf("%s may be done to %s, not to %s", x.Verb, strings.Join(allowed.Kinds, ", "), x.Target.Kind)
			}
			for _, b := range allowed.Bounds {
				for _, e := range x.Edits {
					if why := b.breaks(e); why != "" {
						return Deny, why
					}
				}
			}
			return Allow, ""
		})
	},
}

// breaks says how an edit breaks a bound; empty if it does not, or is about another field.
func (b Bound) breaks(e Edit) string {
	if e.Path != b.Field && !strings.HasSuffix(e.Path, "."+b.Field) {
		return ""
	}
	value, ok := quantity(e.New)
	if !ok {
		return fmt.Sprintf("%s would be %s, which is no quantity, and it is bounded", e.Path, orAbsent(e.New))
	}
	if low, ok := quantity(b.Min); b.Min != "" && (!ok || value < low) {
		return fmt.Sprintf("%s would be %s, and at least %s is asked for", e.Path, e.New, b.Min)
	}
	if high, ok := quantity(b.Max); b.Max != "" && (!ok || value > high) {
		return fmt.Sprintf("%s would be %s, and at most %s is allowed", e.Path, e.New, b.Max)
	}
	if b.Change == 0 {
		return ""
	}
	old, ok := quantity(e.Old)
	if !ok || abs(value-old)*100 > float64(b.Change)*old {
		return fmt.Sprintf("%s would go from %s to %s, by more than %d %%", e.Path, orAbsent(e.Old), e.New, b.Change)
	}
	return ""
}

func orAbsent(value string) string {
	if value == "" {
		return "absent"
	}
	return value
}

func abs(x float64) float64 { return max(x, -x) }
