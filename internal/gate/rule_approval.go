package gate

import (
	"fmt"
	"time"
)

// The law: where a human's word is asked for, it is a word on this very plan, by somebody the API server vouched for, not yet
// used and not too old. In Approve that is one at least; a Guardrail may ask for several different people in whatever mode.
// To hold a delivery is never done without one, in whatever mode.
// One who rejects a plan outweighs all who approve it, so whether anybody did must be known.
var approvalRule = rule{
	doc: Doc{ID: "approval", Since: "v0.2", Severity: Deny, Title: "Approval",
		Text: "In mode Approve, or where approval.approvers says so, a live action needs that many different people's Approval of exactly this plan: vouched for by the API server, unexpired, unused. Holding a delivery needs one in every mode. A plan that somebody rejected is denied."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		return m.each(ReachGit, func(x *chosen) (Decision, string) {
			switch _, known := m.Approvals.Get(); {
			case !known:
				return Hold, "who approved or rejected it is not known: " + m.Approvals.Why()
			case x.rejected != nil:
				return Deny, fmt.Sprintf("%s rejected it at %s%s", x.rejected.Approver, x.rejected.At.UTC().Format(time.RFC3339), because(x.rejected.Reason))
			case x.reach() == ReachLive:
				return r.askedFor(m, x)
			}
			return Allow, ""
		})
	},
}

func (r *Rail) askedFor(m *matter, x *chosen) (Decision, string) {
	need, known := r.Approvers.Get()
	switch {
	case !known:
		return Hold, "how many must approve is not known: " + r.Approvers.Why()
	case need < 0:
		return Hold, fmt.Sprintf("%d must approve, which makes no sense", need)
	case r.Mode == Approve || x.Verb == VerbHold:
		need = max(need, 1)
	}
	if n := len(x.standing); n < need {
		return Hold, fmt.Sprintf("it waits for approval: %d of %d have approved plan %.19s%s", n, need, x.PlanDigest(), fallen(m.Facts, *x.Action))
	}
	return Allow, ""
}

// fallen says what became of approvals that do not count, so that nobody wonders where their word went.
func fallen(f Facts, x Action) string {
	var used, expired, early, other int
	void := ""
	given, _ := f.Approvals.Get()
	plan := x.PlanDigest()
	for _, g := range given {
		switch {
		case g.Plan != plan:
			other++
		case g.Used:
			used++
		case g.Void != "" && void == "":
			void = fmt.Sprintf("; that of %s does not count: %s", g.Approver, g.Void)
		case !f.At.Before(g.Expires):
			expired++
		case g.At.After(f.At):
			early++
		}
	}
	s := ""
	for _, n := range [...]struct {
		n    int
		text string
	}{{used, "was used before"}, {expired, "has expired"}, {early, "is dated in the future"}, {other, "is for another plan"}} {
		if n.n > 0 {
			s += fmt.Sprintf("; %d %s", n.n, n.text)
		}
	}
	return void + s
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
