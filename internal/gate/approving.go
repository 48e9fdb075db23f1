package gate

import "time"

// Approving returns the approvals that stand for an action at a time: given for exactly this plan, not expired, not used, one
// for each approver, the earliest first. A plan that somebody rejected has none.
func Approving(f Facts, a Action) []Approval {
	given, known := f.Approvals.Get()
	if !known || f.At.IsZero() || len(given) == 0 {
		return nil
	}
	plan := a.PlanDigest()
	var standing []Approval
	for _, x := range given {
		if x.Plan != plan {
			continue
		}
		if x.Reject {
			return nil
		}
		if stands(x, f.At) && !hasApproved(standing, x.Approver) {
			standing = append(standing, x)
		}
	}
	return standing
}

// stands is whether an approval is good for anything at a time.
func stands(x Approval, at time.Time) bool {
	return !x.Used && x.Approver != "" && !x.At.After(at) && at.Before(x.Expires)
}

func hasApproved(given []Approval, approver string) bool {
	for _, x := range given {
		if x.Approver == approver {
			return true
		}
	}
	return false
}

// needs is how many approvers a Guardrail asks for at least where it asks for any, and whether that can be said.
func (r Rail) needs() (int, bool) {
	n, known := r.Approvers.Get()
	return max(n, 1), known && n >= 0
}

// approved is whether enough people approved everything chosen that reaches Git or further. It is what the rules that only ask
// for a human's eye give way to.
func approved(r Rail, a Assessment, f Facts) bool {
	need, known := r.needs()
	if !known || !acts(a, f, ReachGit) {
		return false
	}
	d, _ := each(a, f, ReachGit, func(x Action) (Decision, string) {
		if len(Approving(f, x)) < need {
			return Hold, ""
		}
		return Allow, ""
	})
	return d == Allow
}
