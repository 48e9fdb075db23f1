package gate

// The law: which way a drift is settled is for its Guardrails to say. Git is asked to say what the cluster says only where the direction
// is Adopt, and where it is so for emergency fixes alone, only for what the rules, and no model, take for one. A pull request about
// something else than a drift is none of this rule's business; whether it is about one must be known where it would matter.
// Who delivers an object is kept from it only where drift.hold says that people may be asked.
var directionRule = rule{
	doc: Doc{ID: "direction", Since: "v0.3", Severity: Deny, Title: "Which way drift is settled",
		Text: "Drift is proposed to Git only where drift.direction is Adopt; where drift.adopt is Emergency, only what the rules take for an emergency fix. Report and Revert propose nothing. Delivery is held, until people have decided, only where drift.hold is Ask."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.each(ReachGit, func(x *chosen) (Decision, string) {
			cause, known := m.Drift.Get()
			free := r.Drift.Direction == DirectionAdopt && r.Drift.Any
			switch {
			case x.Verb == VerbHold && r.Drift.HoldFor <= 0:
				return Deny, "drift.hold is Never, so nobody is kept from delivering what Git says"
			case x.Verb != "pull-request", free, known && cause == "":
				return Allow, ""
			case !known:
				return Hold, "whether it is about a drift is not known: " + m.Drift.Why()
			case r.Drift.Direction != DirectionAdopt:
				return Deny, "drift.direction is " + r.Drift.Direction.String() + ", so Git is not asked to say what the cluster says"
			case cause != CauseEmergency:
				return Deny, "drift.adopt is Emergency, and the rules do not take it for an emergency fix"
			}
			return Allow, ""
		})
	},
}
