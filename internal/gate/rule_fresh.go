package gate

import (
	"fmt"
	"time"
)

// The law: nobody acts on yesterday's news. What reaches Git or further rests on evidence no older than the Guardrail says.
var freshRule = rule{
	doc: Doc{ID: "fresh", Since: "v0.2", Severity: Hold, Title: "Fresh evidence",
		Text: "Where the oldest evidence that a choice rests on is older than restraint.fresh, or its age is not known, nothing is done."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachGit) {
			return Allow, ""
		}
		old, why := age(m.At, m.Oldest, "how old the evidence is")
		if why != "" {
			return Hold, why
		}
		if old > r.Restraint.Fresh {
			return Hold, fmt.Sprintf("the evidence is %s old, and at most %s is allowed", old.Truncate(time.Second), r.Restraint.Fresh)
		}
		return Allow, ""
	},
}
