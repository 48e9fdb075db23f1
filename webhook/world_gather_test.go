package webhook

import (
	"strings"
	"testing"
	"testing/synctest"

	"moorgate.dev/internal/gate"
)

func TestAPanicWhileGatheringIsUnreadEvidence(t *testing.T) {
	var g gathering
	g.add(func() []gate.Evidence { panic("index out of range") })
	g.add(func() []gate.Evidence { return []gate.Evidence{{ID: "nodes"}} })
	seen := g.wait()
	if len(seen) != 2 || !strings.Contains(seen[0].Unread, "index out of range") || seen[1].ID != "nodes" {
		t.Errorf("gathered %+v", seen)
	}
}

func TestAReadThatHangsLeavesTheOthersTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gathering
		others := make(chan struct{})
		for range 3 { // in vain, until the last is done
			g.add(func() []gate.Evidence { <-others; return nil })
		}
		g.add(func() []gate.Evidence { close(others); return []gate.Evidence{{ID: "nodes"}} })
		if seen := g.wait(); len(seen) != 1 {
			t.Errorf("gathered %+v", seen)
		}
	})
}
