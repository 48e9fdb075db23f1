package gate

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// The law: what is not allowed by name is not done. A Guardrail lists the verbs that may reach Git or further, the kinds that
// each may be done to, and bounds on the values that it may set. A value that cannot be read is out of bounds, and so is a
// bounded value that is set as part of a larger one.
var actionRule = rule{
	doc: Doc{ID: "action", Since: "v0.2", Severity: Deny, Title: "Only what is allowed by name",
		Text: "An action whose verb or kind is not among a Guardrail's actions is denied, and so is one that sets a field beyond its bounds, or as part of a larger value. Holding a delivery is allowed by drift.hold instead."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.each(ReachGit, func(x *chosen) (Decision, string) {
			if _, why := r.permitted(*x.Action); why != "" {
				return Deny, why
			}
			return Allow, ""
		})
	},
}

// permitted returns the entry of a Guardrail's actions that lets an action be done, or why none does. Where several entries
// are about the same verb, one of them must let it be done as a whole.
func (r *Rail) permitted(x Action) (Permitted, string) {
	if x.holds() {
		return Permitted{}, "" // drift.hold says whether it may be done
	}
	why := ""
	for _, p := range r.Actions {
		if p.Verb != x.Verb {
			continue
		}
		if why = p.forbids(x); why == "" {
			return p, ""
		}
	}
	if why == "" {
		why = fmt.Sprintf("the action %q is not among the actions that this Guardrail allows", x.Verb)
	}
	return Permitted{}, why
}

// forbids says why an entry does not let an action of its verb be done; empty if it does.
func (p Permitted) forbids(x Action) string {
	if len(p.Kinds) > 0 && !slices.Contains(p.Kinds, x.Target.Kind) {
		return fmt.Sprintf("%s may be done to %s, not to %s", x.Verb, strings.Join(p.Kinds, ", "), x.Target.Kind)
	}
	for _, b := range p.Bounds {
		for _, e := range x.Edits {
			if why := b.breaks(e); why != "" {
				return why
			}
		}
	}
	return ""
}

// breaks says how an edit breaks a bound; empty if it does not, or is about something else.
func (b Bound) breaks(e Edit) string {
	field, path := steps(b.Field), steps(e.Path)
	if len(path) < len(field) || !slices.Equal(path[len(path)-len(field):], field) {
		if e.swallows(field[len(field)-1]) {
			return fmt.Sprintf("%s would be set as part of %s, and it is bounded", b.Field, e.Path)
		}
		return ""
	}
	value, ok := quantity(e.New)
	if !ok {
		return fmt.Sprintf("%s would be %s, which is no quantity, and it is bounded", e.Path, orAbsent(e.New))
	}
	if low, ok := quantity(b.Min); b.Min != "" && (!ok || value.Cmp(low) < 0) {
		return fmt.Sprintf("%s would be %s, and at least %s is asked for", e.Path, e.New, b.Min)
	}
	if high, ok := quantity(b.Max); b.Max != "" && (!ok || value.Cmp(high) > 0) {
		return fmt.Sprintf("%s would be %s, and at most %s is allowed", e.Path, e.New, b.Max)
	}
	if old, ok := quantity(e.Old); b.Change != 0 && (!ok || !within(old, value, int64(b.Change))) {
		return fmt.Sprintf("%s would go from %s to %s, by more than %d %%", e.Path, orAbsent(e.Old), e.New, b.Change)
	}
	return ""
}

// within is whether a new value differs from the old one by at most so many percent of the old one.
func within(old, value *big.Rat, percent int64) bool {
	change := new(big.Rat).Sub(value, old)
	change.Abs(change).Mul(change, big.NewRat(100, 1))
	return change.Cmp(new(big.Rat).Mul(old, big.NewRat(percent, 1))) <= 0
}

func orAbsent(value string) string {
	if value == "" {
		return "absent"
	}
	return value
}
