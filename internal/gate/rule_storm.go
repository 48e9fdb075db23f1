package gate

import "fmt"

// The law: in a storm hold still. Where many Cases are opened at once in the cluster, they have one cause that nobody has
// found yet, and no live action is begun until it is over.
var stormRule = rule{
	doc: Doc{ID: "storm", Since: "v0.2", Severity: Hold, Title: "Storm",
		Text: "Where restraint.stormCases or more Cases of drift or failure were opened in the cluster within 10 minutes, or nobody can say, no live action is begun."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachLive) {
			return Allow, ""
		}
		limit, known := r.Restraint.Storm.Get()
		if !known {
			return Hold, "there is no stormCases: " + r.Restraint.Storm.Why()
		}
		cases, known := m.Storm.Get()
		switch {
		case !known:
			return Hold, "how many Cases were opened lately is not known: " + m.Storm.Why()
		case cases < 0:
			return Hold, fmt.Sprintf("%d Cases were opened lately, which makes no sense", cases)
		case cases >= limit:
			return Hold, fmt.Sprintf("%d Cases were opened in the last %s, and %d are a storm", cases, StormWindow, limit)
		}
		return Allow, ""
	},
}
