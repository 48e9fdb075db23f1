package gate

import (
	"slices"
	"time"
)

// Approving returns the approvals that stand for an action at a time: given for exactly this plan, not expired, not used, one
// for each approver, in the order in which they are known. A plan that somebody rejected has none.
func Approving(f Facts, a Action) []Approval {
	standing, _ := words(f, a)
	return standing
}

// words returns the approvals that stand for an action, or the word of somebody who rejected it, whenever that was.
func words(f Facts, a Action) (standing []Approval, rejected *Approval) {
	given, _ := f.Approvals.Get()
	plan := a.PlanDigest()
	for i, x := range given {
		switch {
		case x.Plan != plan:
		case x.Reject:
			return nil, &given[i]
		case stands(x, f.At) && !slices.ContainsFunc(standing, func(s Approval) bool { return s.Approver == x.Approver }):
			standing = append(standing, x)
		}
	}
	return standing, nil
}

// stands is whether an approval is good for anything at a time; at no time none is.
func stands(x Approval, at time.Time) bool {
	return x.Void == "" && !x.Used && x.Approver != "" && !at.IsZero() && !x.At.After(at) && at.Before(x.Expires)
}
