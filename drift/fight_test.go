package drift

import (
	"strings"
	"testing"
	"time"
)

func TestAFieldThatIsChangedToAndFroIsAFight(t *testing.T) {
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	person := Owner{Manager: "kubectl-edit", Party: Person, Time: at}
	replicas := func(live int64) []Drift {
		return []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: live, Owner: person}}
	}
	type sight struct {
		after  time.Duration
		drifts []Drift
	}
	for _, tt := range []struct {
		name   string
		uid    string // of the last sight
		sights []sight
		want   int
	}{
		{"a change that stays", "1", []sight{{0, replicas(5)}, {time.Minute, replicas(5)}, {time.Minute, replicas(5)}, {time.Minute, replicas(5)}}, 1},
		{"another value of the same drift", "1", []sight{{0, replicas(5)}, {time.Minute, replicas(6)}, {time.Minute, replicas(7)}}, 1},
		{"put back twice", "1", []sight{{0, replicas(5)}, {time.Minute, nil}, {time.Minute, replicas(5)}}, 2},
		{"to and fro", "1", []sight{{0, replicas(5)}, {time.Minute, nil}, {time.Minute, replicas(5)}, {time.Minute, nil}, {time.Minute, replicas(6)}}, 3},
		{"to and fro, over a day", "1", []sight{{0, replicas(5)}, {time.Hour, nil}, {time.Hour, replicas(5)}, {time.Hour, nil}, {time.Hour, replicas(6)}}, 1},
		{"another object of the name", "2", []sight{{0, replicas(5)}, {time.Minute, nil}, {time.Minute, replicas(5)}, {time.Minute, nil}, {time.Minute, replicas(6)}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, now := &past{}, at
			var drifts []Drift
			for i, s := range tt.sights {
				uid := "1"
				if i == len(tt.sights)-1 {
					uid = tt.uid
				}
				now = now.Add(s.after)
				turns := p.began(uid, now, s.drifts)
				p.changed(uid, s.drifts)
				drifts = s.drifts
				for j := range drifts {
					drifts[j].Turns = turns[drifts[j].Path.String()]
				}
			}
			if drifts[0].Turns != tt.want {
				t.Errorf("it began %d times, want %d", drifts[0].Turns, tt.want)
			}
			l := looked(drifts...)
			a := assess(l)
			if fight := tt.want >= fightFrom; fight != (a.Cause == CauseFight) || fight != strings.Contains(a.Silent, "began to differ 3 times within an hour") {
				t.Errorf("got %+v", a)
			}
			if _, adopts := adoption(l); adopts == (tt.want >= fightFrom) {
				t.Errorf("adopting is offered: %t", adopts)
			}
		})
	}
}
