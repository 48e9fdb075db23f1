package gate

// The law: who wants a rollout kept out until a model was heard about it gets that, and reads it in the verdict: what was refused
// for nothing but that was refused all the same. Only what can refuse for a model's word waits for it.
var unheardRule = rule{
	doc: Doc{ID: "unheard", Since: "v0.2", Severity: Deny, Title: "Not without a model's word",
		Text: "While a model is being asked about a rollout, a Guardrail with onPending Deny that lets a model deny (onAdvice Deny) keeps it out. Where none can be asked, or none has a word in time, this rule has nothing to say."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if m.Unheard == "" || !r.DenyAdvised || r.OnPending != PendingDeny {
			return Allow, ""
		}
		return Deny, "no model has been heard yet: " + m.Unheard
	},
}
