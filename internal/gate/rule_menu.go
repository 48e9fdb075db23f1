package gate

import "fmt"

// The law: nothing is done that code did not offer. An advisor answers with ids from the menu; an id that is not on it, or
// one named twice, denies the whole choice, because an advisor that invents one step cannot be trusted with the others.
var menuRule = rule{
	doc: Doc{ID: "menu", Since: "v0.1", Severity: Deny, Title: "Only what is on the menu",
		Text: "The advisor may only pick from the menu that code wrote for this happening. Anything else denies the whole choice."},
	weigh: func(_ Rail, a Assessment, f Facts) (Decision, string) {
		seen := map[string]bool{}
		for _, id := range a.Choice {
			if _, ok := onMenu(f.Menu, id); !ok {
				return Deny, fmt.Sprintf("%q is not on the menu of %d", id, len(f.Menu))
			}
			if seen[id] {
				return Deny, fmt.Sprintf("%q is chosen twice", id)
			}
			seen[id] = true
		}
		return Allow, ""
	},
}
