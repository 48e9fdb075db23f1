package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// What a Case says of the past is what a model is reminded of: one is made from the other.
var _ = advise.Remembered(cluster.Past{})

// caseEnding is how a Case of the calibration's log ended.
type caseEnding struct {
	sure    int
	result  gate.Result // pending: nothing was done
	reject  bool
	approve bool
	face    gate.Face
}

// calibrated writes a Case for each ending into one log.
func calibrated(t *testing.T, endings ...caseEnding) string {
	t.Helper()
	p := newPast(t, "judge")
	done := gate.OutcomeDone
	for i, x := range endings {
		ref := workloadIn("shop", fmt.Sprintf("web%d", i))
		plan := gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: ref.Name}, Workload: ref}
		face := x.face
		if face == "" {
			face = gate.FaceRemediate
		}
		q := p.asked(face, "CrashLoop", ref, plan)
		a := gate.Assessment{Advisor: "causes", Cause: "OOMKilled", Confidence: gate.Known(x.sure), Choice: []string{"evict"}}
		p.judge(q, cluster.Default(), a)
		if x.reject || x.approve {
			p.step(gate.Record{Kind: gate.RecordApproval, Correlation: q.Case, Signal: &q.Signal, Digest: plan.PlanDigest(), Approval: &gate.Approval{Approver: "ana", Plan: plan.PlanDigest(), Reject: x.reject}})
		}
		if x.result == gate.ResultPending {
			continue
		}
		p.step(gate.Record{Kind: gate.RecordIntent, Correlation: q.Case, Signal: &q.Signal, Facts: &q.Facts, Assessment: &a, Action: &plan, Digest: plan.PlanDigest()})
		p.step(gate.Record{Kind: gate.RecordOutcome, Correlation: q.Case, Signal: &q.Signal, Digest: plan.PlanDigest(), Outcome: &done})
		p.step(gate.Record{Kind: gate.RecordVerification, Correlation: q.Case, Signal: &q.Signal, Digest: plan.PlanDigest(), Result: x.result})
	}
	return p.close()
}

func TestAuditCalibrationPrintsTheTable(t *testing.T) {
	var endings []caseEnding
	for i := range 40 {
		x := caseEnding{sure: 95, result: gate.ResultHealed}
		if i%2 == 0 {
			x = caseEnding{sure: 92, result: gate.ResultIneffective}
		}
		if i%4 == 3 {
			x = caseEnding{sure: 55, reject: i%8 == 3, approve: i%8 != 3, face: gate.FaceDrift}
		}
		endings = append(endings, x)
	}
	dir := calibrated(t, endings...)
	code, out, errs := run("audit", "calibration", "--dir", dir)
	if code != exitOK || strings.Contains(out, "\x1b") || strings.Contains(out, "TOO FEW") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	golden(t, "calibration.txt", out)
	code, out, _ = run("audit", "calibration", "--dir", dir, "--face", "drift", "-o", "json")
	var table advise.Table
	if err := json.Unmarshal([]byte(out), &table); err != nil || code != exitOK || table.N != 10 || table.Right != 5 || table.Human != 10 || !table.Few {
		t.Errorf("exit code %d, %v: %+v", code, err, table)
	}
	if _, out, _ := run("audit", "calibration", "--dir", dir, "--face", "drift"); !strings.Contains(out, "TOO FEW: fewer than 30") {
		t.Errorf("10 prove nothing:\n%s", out)
	}
}

func TestWhatAuditCalibrationCounts(t *testing.T) {
	for name, x := range map[string]struct {
		ending      caseEnding
		n, right, h int
	}{
		"healed":                            {caseEnding{sure: 90, result: gate.ResultHealed}, 1, 1, 0},
		"ineffective":                       {caseEnding{sure: 90, result: gate.ResultIneffective}, 1, 0, 0},
		"worsened, though a human approved": {caseEnding{sure: 90, result: gate.ResultWorsened, approve: true}, 1, 0, 0},
		"approved and never done":           {caseEnding{sure: 90, approve: true}, 1, 1, 1},
		"rejected":                          {caseEnding{sure: 90, reject: true}, 1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, errs := run("audit", "calibration", "-o", "json", "--dir", calibrated(t, x.ending))
			var table advise.Table
			if err := json.Unmarshal([]byte(out), &table); err != nil || table.N != x.n || table.Right != x.right || table.Human != x.h {
				t.Errorf("%v: %+v %s", err, table, errs)
			}
		})
	}
}

func TestAuditCalibrationSaysThatThereIsNothing(t *testing.T) {
	for name, args := range map[string][]string{
		"nothing came of it":   {"--dir", calibrated(t, caseEnding{sure: 90})},
		"nothing of that face": {"--dir", calibrated(t, caseEnding{sure: 90, result: gate.ResultHealed}), "--face", "webhook"},
		"a face that is none":  {"--dir", calibrated(t, caseEnding{sure: 90, result: gate.ResultHealed}), "--face", "nose"},
		"no log":               {"--dir", t.TempDir() + "/none"},
	} {
		if code, out, errs := run(append([]string{"audit", "calibration"}, args...)...); code != exitFailed || errs == "" {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, errs)
		}
	}
}
