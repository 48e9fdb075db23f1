package gate

import "testing"

func TestDirection(t *testing.T) {
	drifted := func(d Direction, anything bool, cause Fact[string]) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			r.Drift, f.Drift, a.Choice = Settling{Direction: d, Any: anything}, cause, []string{"propose"}
		}
	}
	emergency, routine, unsaid := Known(CauseEmergency), Known("routine-operation"), Known("changed-by-a-person")
	weigh(t, "direction", []weighed{
		{"anything, and it is an emergency fix", drifted(DirectionAdopt, true, emergency), Allow, ""},
		{"anything, and nobody knows why it was done", drifted(DirectionAdopt, true, unsaid), Allow, ""},
		{"emergency fixes, and it is one", drifted(DirectionAdopt, false, emergency), Allow, ""},
		{"emergency fixes, and it is routine", drifted(DirectionAdopt, false, routine), Deny, "drift.adopt is Emergency"},
		{"emergency fixes, and nobody knows why it was done", drifted(DirectionAdopt, false, unsaid), Deny, "drift.adopt is Emergency"},
		{"back to Git", drifted(DirectionRevert, true, emergency), Deny, "drift.direction is Revert"},
		{"reported", drifted(DirectionReport, true, emergency), Deny, "drift.direction is Report"},
		{"a direction that there is not", drifted(DirectionAdopt+1, true, emergency), Deny, "drift.direction is Report"},
		{"no drift, where it is reported", drifted(DirectionReport, false, Known("")), Allow, ""},
		{"nobody knows whether it is one, where it is reported", drifted(DirectionReport, false, Unknown[string]("not asked")), Hold, "not asked"},
		{"nobody knows whether it is one, where anything may be adopted", drifted(DirectionAdopt, true, Fact[string]{}), Allow, ""},
		{"an eviction, where drift is reported", func(r *Rail, _ *Assessment, f *Facts) { r.Drift, f.Drift = Settling{}, Fact[string]{} }, Allow, ""},
	})
}

func TestTheMostCarefulDirectionWins(t *testing.T) {
	for name, c := range map[string]struct {
		rails []Direction
		want  Direction
	}{
		"none applies":     {nil, DirectionReport},
		"one":              {[]Direction{DirectionAdopt}, DirectionAdopt},
		"two of a mind":    {[]Direction{DirectionAdopt, DirectionAdopt}, DirectionAdopt},
		"back and forth":   {[]Direction{DirectionAdopt, DirectionRevert}, DirectionRevert},
		"all of them":      {[]Direction{DirectionRevert, DirectionReport, DirectionAdopt}, DirectionReport},
		"one that is none": {[]Direction{DirectionAdopt, DirectionAdopt + 1}, DirectionReport},
		"one below":        {[]Direction{-1}, DirectionReport},
	} {
		var p Policy
		for _, d := range c.rails {
			p.Rails = append(p.Rails, Rail{Drift: Settling{Direction: d}})
		}
		if got := p.Direction(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if d := Direction(0); d.UnmarshalText([]byte("Adopt")) != nil || d != DirectionAdopt || d.UnmarshalText([]byte("adopt")) != nil || d != DirectionReport {
		t.Errorf("read as %s", d)
	}
}
