package advise

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestTheCalibrationOfAFewThatCanBeCheckedByHand(t *testing.T) {
	c := Calibration([]Prediction{{Face: gate.FaceRemediate, Cause: "oom", Confidence: 90, Right: true}, {Face: gate.FaceRemediate, Cause: "oom", Confidence: 90, Right: true},
		{Face: gate.FaceRemediate, Cause: "oom", Confidence: 90}, {Face: gate.FaceDrift, Cause: "hotfix", Confidence: 40, Human: true}})
	// Brier: (0.01 + 0.01 + 0.81 + 0.16) / 4; reliability: 3/4 (0.9 - 2/3)^2 + 1/4 0.4^2; resolution: 3/4 (2/3 - 1/2)^2 + 1/4 (1/2)^2.
	if !near(c.Brier, 0.2475) || !near(c.Reliability, 0.75*(0.9-2.0/3)*(0.9-2.0/3)+0.04) || !near(c.Resolution, 1.0/12) || !near(c.Uncertainty, 0.25) {
		t.Errorf("%+v", c)
	}
	if !near(c.Error, 0.75*(0.9-2.0/3)+0.25*0.4) || !near(c.Area, 0.75/3+0.25/2) || !c.Few || c.N != 4 || c.Right != 2 || c.Human != 1 {
		t.Errorf("%+v", c)
	}
	if len(c.Curve) != 2 || c.Curve[0] != (Point{90, 0.75, 1.0 / 3}) || c.Curve[1] != (Point{40, 1, 0.5}) {
		t.Errorf("curve %+v", c.Curve)
	}
	if b := c.Bins[9]; b.N != 3 || b.Right != 2 || b.Low != 20 || b.High != 94 || b.To != 100 {
		t.Errorf("bin %+v", b)
	}
	if b := c.Bins[0]; b.Low != 0 || b.High != 100 {
		t.Errorf("an empty bin says nothing: %+v", b)
	}
	if len(c.Groups) != 5 || c.Groups[0].Name != "remediate" || c.Groups[0].N != 3 || c.Groups[2].By != "cause" {
		t.Errorf("groups %+v", c.Groups)
	}
	if c := Calibration(nil); c.N != 0 || !c.Few || c.Brier != 0 || len(c.Bins) != bins {
		t.Errorf("of nothing: %+v", c)
	}
}

func TestTheBrierScoreIsItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Prediction {
			return Prediction{Confidence: rapid.IntRange(-5, 105).Draw(t, "confidence"), Right: rapid.Bool().Draw(t, "right"), Advisor: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "advisor")}
		}), 1, 80).Draw(t, "pairs")
		c := Calibration(pairs)
		if !near(c.Brier, c.Reliability-c.Resolution+c.Uncertainty) || c.Brier < 0 || c.Brier > 1 || c.Area < 0 || c.Area > 1 || c.Error > 1 {
			t.Fatalf("%+v", c)
		}
		n := 0
		for _, b := range c.Bins {
			n += b.N
			if float64(b.Low) > 100*b.Share+1e-9 || float64(b.High) < 100*b.Share-1e-9 {
				t.Fatalf("bin %+v", b)
			}
		}
		if last := c.Curve[len(c.Curve)-1]; n != len(pairs) || !near(last.Coverage, 1) || !near(last.Risk, 1-float64(c.Right)/float64(c.N)) {
			t.Fatalf("%d of %d, last %+v", n, len(pairs), last)
		}
	})
}
