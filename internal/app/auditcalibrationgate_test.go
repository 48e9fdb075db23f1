package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestAuditCalibrationTellsOfRollouts(t *testing.T) {
	p := newPast(t, "judge")
	for i, x := range []gate.Rollout{
		{Said: "Admitted", Outcome: gate.RolloutAvailable, Decision: "Allow", Score: gate.Known(100)},
		{Said: "Admitted", Outcome: gate.RolloutAvailable, Decision: "Allow", Score: gate.Known(90)},
		{Said: "Warned", Outcome: gate.RolloutCrashed, Decision: "Hold", Score: gate.Known(61)},
		{Said: "Warned", Outcome: gate.RolloutSuperseded, Decision: "Hold", Score: gate.Known(61)},
	} {
		for range 2 { // one that is there twice counts once
			p.step(gate.Record{Kind: gate.RecordVerification, Correlation: fmt.Sprint("shop/c", i), Rollout: &x})
		}
	}
	dir := p.close()
	code, out, errs := run("audit", "calibration", "--dir", dir)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{"At the gate: 3 rollouts let in, of which 1 failed; apart: 1 Superseded.", "TOO FEW", "scored 61, failed: Crashed",
		"warned (Hold or Deny)           1       100%     100%", "denied (Deny)                   0          -       0%", "50-79"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	_, out, _ = run("audit", "calibration", "--dir", dir, "-o", "json", "--face", "webhook")
	var table calibration
	if err := json.Unmarshal([]byte(out), &table); err != nil || table.Gate == nil || table.Gate.N != 3 || table.Gate.Failed != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if code, _, _ := run("audit", "calibration", "--dir", dir, "--face", "drift"); code != exitFailed {
		t.Errorf("another face tells of rollouts: exit code %d", code)
	}
}
