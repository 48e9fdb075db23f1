package gate

import (
	"fmt"
	"math"
)

// The law: trust is earned. A live action is done without asking only where enough of what was tried before, with the same
// action for the same cause, healed. Sure is the lower bound of the 95 % Wilson interval, so that three of three is little
// and seventy of seventy is much. What was never tried always asks.
var historyRule = rule{
	doc: Doc{ID: "history", Since: "v0.2", Severity: Hold, Title: "Trust is earned",
		Text: "A live action asks a human until the lower bound (Wilson, 95 %) of what healed before, for the same cause and action, reaches historyBelow. What was never tried always asks."},
	weigh: func(r Rail, a Assessment, f Facts) (Decision, string) {
		if !acts(a, f, ReachLive) || approved(r, a, f) {
			return Allow, ""
		}
		below, err := number(r.HistoryBelow, "historyBelow")
		if err != nil {
			return Hold, err.Error()
		}
		tally, known := f.History.Get()
		switch {
		case !known:
			return Hold, "what came of this before is not known: " + f.History.Why()
		case tally.Tried == 0 && tally.Healed == 0:
			return Hold, "this was never tried for this cause before"
		case tally.Healed < 0 || tally.Healed > tally.Tried:
			return Hold, fmt.Sprintf("the history makes no sense: %d of %d healed", tally.Healed, tally.Tried)
		}
		if sure := Sure(tally.Healed, tally.Tried); sure < below {
			return Hold, fmt.Sprintf("%d of %d healed before: sure of %d %%, and %d %% is asked for", tally.Healed, tally.Tried, sure, below)
		}
		return Allow, ""
	},
}

// Sure is the lower bound of the 95 % Wilson interval of well out of tried, in whole percent, rounded down. Of nothing tried
// it is 0.
func Sure(well, tried int) int {
	if tried <= 0 {
		return 0
	}
	const z = 1.959964
	n := float64(tried)
	p := float64(well) / n
	low := (p + z*z/(2*n) - z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
	return max(0, int(math.Floor(100*low)))
}
