package gate

import "fmt"

// The law: a Guardrail that could not be understood permits nothing. A field that this version does not know may well be
// the one that would have said no.
var readableRule = rule{
	doc: Doc{ID: "readable", Since: "v0.1", Severity: Hold, Title: "Unreadable Guardrails permit nothing",
		Text: "A Guardrail with unknown fields or values that make no sense holds everything that it applies to, until a person mends it."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		switch {
		case r.Unreadable != "":
			return Hold, "this Guardrail cannot be read: " + r.Unreadable
		case r.Mode < Observe || r.Mode > Automatic || r.Admission < AdmissionObserve || r.Admission > AdmissionEnforce:
			return Hold, fmt.Sprintf("this Guardrail cannot be read: mode %d and admission mode %d", r.Mode, r.Admission)
		}
		return Allow, ""
	},
}
