package gate

// The law: anybody may stop Moorgate, with a reason, and while anyone has a reason nothing is done. Whether we are paused
// must be known: what cannot be read counts as paused. Answers to admission requests are not held up, but no rollout is
// refused under a paused Guardrail.
var pauseRule = rule{
	doc: Doc{ID: "pause", Since: "v0.1", Severity: Hold, Title: "Pause",
		Text: "While a Guardrail or the process is paused, or it is not known whether they are, nothing is done. Admission requests are answered; none is refused."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachMark) {
			return Allow, ""
		}
		reasons, known := m.Paused.Get()
		if !known {
			return Hold, "it is not known whether Moorgate is paused: " + m.Paused.Why()
		}
		if len(reasons) > 0 {
			return Hold, "Moorgate is paused: " + list(reasons, 3)
		}
		if len(r.Paused) > 0 {
			return Hold, "this Guardrail is paused: " + list(r.Paused, 3)
		}
		return Allow, ""
	},
}
