package gate

import "fmt"

// The law: score says how sound a thing is, confidence how sure we are of that, and the two are never mixed. Below the
// Guardrail's confidence a human looks, whatever the score; one who approved the plan has. Confidence is computed from what could be
// read and checked; an advisor's own word about itself is no part of it.
var confidenceRule = rule{
	doc: Doc{ID: "confidence", Since: "v0.1", Severity: Hold, Title: "Confidence",
		Text: "Below confidenceBelow, or with no confidence at all, a human looks, whatever the score. Approving the plan of an action is looking."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if m.Silent != "" {
			return Allow, "" // the silence rule speaks
		}
		confidence, err := number(m.Confidence, "confidence")
		if err != nil {
			return Hold, err.Error()
		}
		below, err := number(r.ConfidenceBelow, "confidenceBelow")
		if err != nil {
			return Hold, err.Error()
		}
		if confidence >= below || m.approved(r) {
			return Allow, ""
		}
		why := fmt.Sprintf("confidence %d is below %d", confidence, below)
		if len(m.Unread) > 0 {
			why += fmt.Sprintf("; could not read %s", list(m.Unread, 3))
		}
		return Hold, why
	},
}

// list joins at most n items for a sentence and counts the rest.
func list(items []string, n int) string {
	s := ""
	for i, item := range items {
		if i == n {
			return fmt.Sprintf("%s and %d more", s, len(items)-n)
		}
		if i > 0 {
			s += ", "
		}
		s += item
	}
	return s
}
