package advise

import "moorgate.dev/internal/gate"

// The law: confidence is computed and never believed. It is the least of four numbers: what the model says of itself, the share of
// its findings that stand, the share of independent looks that came to the same, and the share of what healed before, for the same
// cause and action, once that was tried often enough to say anything. So the model's own word can only lower it.
const (
	confidenceUnfounded = 30 // of an opinion that rests on no finding at all
	historyLeast        = 5  // tries, below which what came of them says nothing
)

// confidence is how sure we are of a model's opinion, 0 to 100. agreement is that of all looks.
func confidence(said int, g grounded, agreement gate.Fact[int], history gate.Fact[gate.Tally], cause, verb string) int {
	sure := min(max(said, 0), 100)
	if made := len(g.findings) + g.dropped + g.contradicted; made == 0 {
		sure = min(sure, confidenceUnfounded)
	} else {
		sure = min(sure, 100*len(g.findings)/made)
	}
	if looks, known := agreement.Get(); known {
		sure = min(sure, looks)
	}
	if t, known := history.Get(); known && t.Cause == cause && t.Verb == verb && t.Tried >= historyLeast {
		sure = min(sure, 100*min(max(t.Healed, 0), t.Tried)/t.Tried)
	}
	return sure
}
