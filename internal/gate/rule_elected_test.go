package gate

import "testing"

// TestWhatAModelChoseHasToHaveEarnedIt shows that a pull request that a rule chose needs no history, and one that a model chose does.
func TestWhatAModelChoseHasToHaveEarnedIt(t *testing.T) {
	for _, row := range []struct {
		name    string
		elected bool
		history Fact[Tally]
		want    Decision
	}{
		{"a rule chose", false, Fact[Tally]{}, Allow},
		{"a model chose", true, Fact[Tally]{}, Hold},
		{"a model chose what was never tried", true, Known(Tally{Cause: "crash", Verb: "pull-request"}), Hold},
		{"a model chose what healed before", true, Known(Tally{Cause: "crash", Verb: "pull-request", Tried: 100, Healed: 100}), Allow},
		{"a model chose what healed for another cause", true, Known(Tally{Cause: "other", Verb: "pull-request", Tried: 100, Healed: 100}), Hold},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, f := opinion(), facts()
			i := 0
			for f.Menu[i].Reach != ReachGit {
				i++
			}
			a.Choice, a.Cause, a.Elected = []string{f.Menu[i].ID}, "crash", row.elected
			f.Menu[i].Verb, f.History = "pull-request", row.history
			r := rail()
			r.Actions = append(r.Actions, Permitted{Verb: "pull-request"})
			v := Decide(Policy{Rails: []Rail{r}}, a, f)
			if v.Decision != row.want {
				t.Errorf("%s: %+v", v.Decision, v.Reasons)
			}
		})
	}
}
