package advise

import (
	"testing"

	"moorgate.dev/internal/gate"
)

func TestWhatWasSaidOfRolloutsIsComparedWithWhatBecameOfThem(t *testing.T) {
	var all []Foretold
	add := func(n, score int, decision, outcome string) {
		for range n {
			all = append(all, Foretold{Score: gate.Known(score), Decision: decision, Outcome: outcome})
		}
	}
	add(28, 100, "Allow", "Available")
	add(1, 100, "Allow", "RolledBack")
	add(2, 61, "Hold", "Available")
	add(2, 61, "Hold", "Crashed")
	add(1, 30, "Deny", "OutOfMemory")
	add(3, 70, "Hold", "Superseded")
	all = append(all, Foretold{Score: gate.Unknown[int]("x"), Decision: "Allow", Outcome: "Available"})
	g := Rollouts(all)
	if g.N != 35 || g.Failed != 4 || g.Few || g.Apart["Superseded"] != 3 {
		t.Errorf("%+v", g)
	}
	for name, x := range map[string]struct {
		f                 Foresight
		precision, recall float64
	}{"warned": {g.Warned, 0.6, 0.75}, "denied": {g.Denied, 1, 0.25}} {
		p, _ := x.f.Precision.Get()
		r, _ := x.f.Recall.Get()
		if p != x.precision || r != x.recall {
			t.Errorf("%s: precision %v, recall %v, want %v and %v", name, p, r, x.precision, x.recall)
		}
	}
	if b := g.Bands[1]; b.N != 4 || b.Failed != 2 || b.Low < 10 || b.High > 90 {
		t.Errorf("50-79: %+v", b)
	}
	if m := g.Missed[0]; m.Score != 100 || m.Outcome != "RolledBack" || len(g.Missed) != 4 {
		t.Errorf("missed %+v", g.Missed)
	}
	if none := Rollouts(nil); !none.Few || none.Warned.Precision.Why() == "" || none.Bands[0].High != 100 {
		t.Errorf("of nothing: %+v", none)
	}
}
