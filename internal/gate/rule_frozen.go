package gate

// The law: in a freeze nobody's pods are replaced by pods of another template without a human's eye, and where the Guardrail
// says denyFrozen such a rollout waits until the window is over. The gate must not block the brake, the fix and the way
// back: a size, a restart and what the cluster's own components bring are no rollout, a known return to an earlier revision
// is let in, and a change to a workload that fails now is told of and let in. Nor is anything refused over a window that
// makes no sense, or where it could not be established what the change is.
var frozenRule = rule{
	doc: Doc{ID: "frozen", Since: "v0.2", Severity: Deny, Title: "Rollouts in a freeze window",
		Text: "While a freeze window is open a rollout of another template needs a human's eye; with denyFrozen it is denied, unless the workload fails now. A return to an earlier revision, a size and a restart are let in."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		why, sure := m.frozen(r)
		if why == "" || !m.answers() {
			return Allow, ""
		}
		brings, known := m.Brings.Get()
		back, knownBack := m.Rollback.Get()
		failing, knownFailing := m.Failing.Get()
		switch {
		case known && !brings, back:
			return Allow, ""
		case r.DenyFrozen && sure && known && knownBack && knownFailing && !failing:
			return Deny, why
		}
		return Hold, why
	},
}
