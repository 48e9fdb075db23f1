package gate

import "fmt"

// The law: what cannot be taken back is not done without asking, unless the Guardrail says of that very action that it may
// be. An action says itself how it is taken back; one that says nothing cannot be.
var reversibleRule = rule{
	doc: Doc{ID: "reversible", Since: "v0.2", Severity: Hold, Title: "What cannot be taken back",
		Text: "A live action that cannot be taken back asks a human, unless the Guardrail allows that action irreversible."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.each(ReachLive, func(x *chosen) (Decision, string) {
			if allowed, _ := r.permitted(*x.Action); x.Undo != "" || allowed.Irreversible || m.approved(r) {
				return Allow, ""
			}
			return Hold, fmt.Sprintf("%s cannot be taken back", x.Verb)
		})
	},
}
