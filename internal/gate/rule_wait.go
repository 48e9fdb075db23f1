package gate

import (
	"fmt"
	"time"
)

// The law: much heals by itself. A live action is begun only when the happening has lasted for as long as the Guardrail
// says, and never less than half a minute.
var waitRule = rule{
	doc: Doc{ID: "wait", Since: "v0.2", Severity: Hold, Title: "Wait and see",
		Text: "A live action waits until the happening has lasted for restraint.wait, at least 30 seconds."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachLive) {
			return Allow, ""
		}
		lasted, why := age(m.At, m.Since, "when it was first seen")
		if why != "" {
			return Hold, why
		}
		if wait := max(r.Restraint.Wait, WaitLeast); lasted < wait {
			return Hold, fmt.Sprintf("it was first seen %s ago, and %s are waited", lasted.Truncate(time.Second), wait)
		}
		return Allow, ""
	},
}
