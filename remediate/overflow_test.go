package remediate

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

type notes struct{ all []gate.Record }

func (n *notes) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	n.all = append(n.all, r)
	return gate.Position{Log: "notes", Sequence: uint64(len(n.all))}, nil
}

// TestAnOverflowIsSaid shows that what did not fit in memory is told once, in the record too.
func TestAnOverflowIsSaid(t *testing.T) {
	log := &notes{}
	p := &patrol{Watcher: Watcher{Log: log, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }},
		intake: newIntake(1), shares: newShares(), memory: newMemory(1, time.Hour)}
	for _, name := range []string{"a", "b", "c"} {
		p.take(Trigger{Namespace: "shop", Kind: "Pod", Name: name, Reason: "BackOff"})
	}
	p.take(Trigger{Namespace: "shop", Kind: "ConfigMap", Name: "d", Reason: "Unhealthy"})
	p.say(t.Context())
	p.say(t.Context())
	if len(log.all) != 1 || log.all[0].Kind != gate.RecordNote || !strings.Contains(log.all[0].Text, "2 pods and other objects were left to the sweep") {
		t.Errorf("it was said: %+v", log.all)
	}
}
