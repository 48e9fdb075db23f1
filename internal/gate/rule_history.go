package gate

import (
	"fmt"
	"math"
)

// The law: trust is earned. A live action is done without asking only where enough of what was tried before, with the same
// action for the same cause, healed. Sure is the lower bound of the 95 % Wilson interval, so that three of three is little
// and seventy of seventy is much. What was never tried always asks. What a model chose, where no rule knew better, has to have
// earned that trust already to reach Git: what it read may have been written to steer it.
var historyRule = rule{
	doc: Doc{ID: "history", Since: "v0.2", Severity: Hold, Title: "Trust is earned",
		Text: "A live action asks a human until the lower bound (Wilson, 95 %) of what healed before, for the same cause and action, reaches historyBelow. What was never tried always asks. What a model chose where no rule knew better asks already from Git on."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if m.approved(r) {
			return Allow, ""
		}
		reach := ReachLive
		if m.Elected {
			reach = ReachGit
		}
		return m.each(reach, func(x *chosen) (Decision, string) {
			if why := r.untrusted(m.Cause, x.Verb, m.History); why != "" {
				return Hold, why
			}
			return Allow, ""
		})
	},
}

// untrusted says why what came of a verb for a cause before is not enough to act without asking; empty if it is.
func (r *Rail) untrusted(cause, verb string, history Fact[Tally]) string {
	below, err := number(r.HistoryBelow, "historyBelow")
	if err != nil {
		return err.Error()
	}
	tally, known := history.Get()
	switch {
	case !known:
		return "what came of this before is not known: " + history.Why()
	case tally.Verb != verb || tally.Cause != cause:
		return fmt.Sprintf("the history is of %q for cause %q, and this is %q for %q", tally.Verb, tally.Cause, verb, cause)
	case tally.Healed < 0 || tally.Healed > tally.Tried:
		return fmt.Sprintf("the history makes no sense: %d of %d healed", tally.Healed, tally.Tried)
	case tally.Tried == 0:
		return "this was never tried for this cause before"
	}
	if sure := Sure(tally.Healed, tally.Tried); sure < below {
		return fmt.Sprintf("%d of %d healed before: sure of %d %%, and %d %% is asked for", tally.Healed, tally.Tried, sure, below)
	}
	return ""
}

// Sure is the lower bound of the 95 % Wilson interval of well out of tried, in whole percent, rounded down. Of nothing tried,
// or of numbers that make no sense, it is 0.
func Sure(well, tried int) int {
	if tried <= 0 {
		return 0
	}
	const z = 1.959964
	// The conversions forbid fused multiplication, so that every machine comes to the same number. Where more are well than were
	// tried, or fewer than none, it is no number, which is not above 0.
	n, p := float64(tried), float64(well)/float64(tried)
	spread := math.Sqrt(float64(p*(1-p))/n + z*z/4/n/n)
	if low := (p + z*z/2/n - float64(z*spread)) / (1 + z*z/n); low > 0 {
		return int(math.Floor(100 * low))
	}
	return 0
}
