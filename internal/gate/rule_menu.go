package gate

import (
	"fmt"
	"slices"
)

// The law: nothing is done that code did not offer. An advisor answers with ids from the menu; an id that is not on it, or
// one named twice, denies the whole choice, because an advisor that invents one step cannot be trusted with the others.
var menuRule = rule{
	doc: Doc{ID: "menu", Since: "v0.1", Severity: Deny, Title: "Only what is on the menu",
		Text: "The advisor may only pick from the menu that code wrote for this happening. Anything else denies the whole choice."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		for i, id := range m.Choice {
			if !slices.ContainsFunc(m.Menu, func(x Action) bool { return x.ID == id }) {
				return Deny, fmt.Sprintf("%q is not on the menu of %d", id, len(m.Menu))
			}
			if slices.Contains(m.Choice[:i], id) {
				return Deny, fmt.Sprintf("%q is chosen twice", id)
			}
		}
		return Allow, ""
	},
}
