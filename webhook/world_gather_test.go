package webhook

import (
	"strings"
	"testing"

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
