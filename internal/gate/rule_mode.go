package gate

// The law: the mode bounds how far an action may reach. Observe touches nothing. Propose reaches Git. A live action needs
// Approve, under which the approval rule asks for a human's word, or Automatic. Annotations on a rollout have their own
// switch, the admission mode: off in Observe. Answering an admission request reaches nowhere; what the answer may be is the admission mode's word.
var modeRule = rule{
	doc: Doc{ID: "mode", Since: "v0.1", Severity: Hold, Title: "Mode",
		Text: "Observe: nothing is touched. Propose: pull requests. Approve: live actions after a human's Approval. Automatic: live actions within bounds. Rollout annotations follow the admission mode instead."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.each(ReachMark, func(x *chosen) (Decision, string) {
			switch reach := x.reach(); {
			case reach == ReachLive && r.Mode < Approve:
				return Hold, "mode " + r.Mode.String() + " does not act on workloads"
			case reach == ReachGit && r.Mode < Propose:
				return Hold, "mode " + r.Mode.String() + " opens no pull requests"
			case reach == ReachMark && r.Admission < AdmissionWarn:
				return Hold, "admission mode " + r.Admission.String() + " writes no annotations"
			}
			return Allow, ""
		})
	},
}
