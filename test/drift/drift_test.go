package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if kubeconfig := os.Getenv(watchVar); kubeconfig != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		err := watch(ctx, kubeconfig, os.Stdin, os.Stdout)
		stop()
		exitWith(err)
		return
	}
	os.Exit(m.Run())
}

// TestTheHarnessMeasures shows that every part gives figures, on few objects and for moments. Of the figures it asks what no clock has a
// part in: that all detectors find the same, that Moorgate asks little for it, and that what nobody changes is neither written nor tried.
func TestTheHarnessMeasures(t *testing.T) {
	var out bytes.Buffer
	if err := measure(t.Context(), options{objects: 80, drifted: 4, turns: 1, tracked: perNamespace, steady: time.Second}, &out); err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(out.String()) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) > 4 {
			rows[strings.TrimSpace(cells[0])] = cells
		}
	}
	var theirs, ours int
	for who, into := range map[string]*int{"fluxcd/pkg/ssa: Diff of each": &theirs, "Moorgate: a first round, with Cases": &ours} {
		row := rows[who]
		if len(row) < 5 || row[2] != "4" {
			t.Fatalf("%s found %v:\n%s", who, row, out.String())
		}
		if _, err := fmt.Sscan(row[4], into); err != nil {
			t.Fatal(err)
		}
	}
	if theirs != 160 || ours > 80 {
		t.Errorf("%d requests, and ours %d", theirs, ours)
	}
	if !strings.Contains(out.String(), "| 1s | ") {
		t.Errorf("nothing was watched:\n%s", out.String())
	}
}
