package gate

import "fmt"

// The law: one look may err. What reaches Git or further needs the agreement that the Guardrail asks for among independent
// looks at the same happening, or a human's approval. Code that always answers the same agrees with itself fully.
var agreementRule = rule{
	doc: Doc{ID: "agreement", Since: "v0.2", Severity: Hold, Title: "Agreement",
		Text: "Where fewer than agreementBelow percent of independent looks come to the same choice, a human looks before anything is done."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachGit) {
			return Allow, ""
		}
		if why := r.disagreed(m); why != "" && !m.approved(r) {
			return Hold, why
		}
		return Allow, ""
	},
}

// disagreed says why the independent looks agree too little; empty if they agree enough.
func (r *Rail) disagreed(m *matter) string {
	agreement, err := number(m.Agreement, "agreement")
	if err != nil {
		return err.Error()
	}
	below, err := number(r.AgreementBelow, "agreementBelow")
	if err != nil {
		return err.Error()
	}
	if agreement < below {
		return fmt.Sprintf("agreement %d is below %d", agreement, below)
	}
	return ""
}
