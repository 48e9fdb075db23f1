package webhook

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

func TestAClientThatWaitsAsItIsToldComesAtMostEightTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := time.Duration(rapid.IntRange(5, 120).Draw(t, "most")) * time.Second
		waited, times := time.Duration(0), 0
		for {
			seconds := again(waited, most)
			if seconds == 0 {
				break
			}
			late := time.Duration(rapid.IntRange(0, 200).Draw(t, "late")) * time.Millisecond
			waited += time.Duration(seconds)*time.Second + late
			if times++; times > len(beats) {
				t.Fatalf("it comes for the %dth time after %s of %s", times, waited, most)
			}
		}
		if waited < most || waited > most+3*time.Second {
			t.Fatalf("it has waited %s of %s", waited, most)
		}
	})
}

func TestWhoComesTooEarlyGainsNothing(t *testing.T) {
	for waited := time.Duration(0); waited < 30*time.Second; waited += 100 * time.Millisecond {
		if again(waited, 30*time.Second) < 1 {
			t.Fatalf("after %s it need not wait any more", waited)
		}
	}
}

func TestTheClockBelongsToTheWorkload(t *testing.T) {
	now := time.Unix(1000, 0)
	ref := gate.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}
	w := &Waits{Now: func() time.Time { return now }}
	began := w.clock(ref, time.Time{}, 30*time.Second)
	now = now.Add(20 * time.Second)
	if since := w.clock(ref, time.Time{}, 30*time.Second); !since.Equal(began) {
		t.Errorf("another request within the wait began anew at %s", since)
	}
	if since := w.clock(ref, began.Add(-5*time.Second), 30*time.Second); !since.Equal(began.Add(-5 * time.Second)) {
		t.Errorf("what another replica began first is not heard of: %s", since)
	}
	now = now.Add(time.Minute)
	if since := w.clock(ref, time.Time{}, 30*time.Second); !since.Equal(now) {
		t.Errorf("a wait that is long over goes on: %s", since)
	}
}

func TestWhatAModelFoundOnlyTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, sure := rapid.IntRange(0, 100).Draw(t, "score"), rapid.IntRange(0, 100).Draw(t, "confidence")
		a := gate.Assessment{Score: gate.Known(score), Confidence: gate.Known(sure)}
		o := v1alpha1.Opinion{Confidence: new(int32(rapid.IntRange(0, 200).Draw(t, "said")))}
		for range rapid.IntRange(0, 4).Draw(t, "findings") {
			o.Findings = append(o.Findings, v1alpha1.Finding{ID: "model-1", Points: int32(rapid.IntRange(-100, 100).Draw(t, "points")), Nature: rapid.SampledFrom([]string{"advised", ""}).Draw(t, "nature")})
		}
		got := Advised(a, o)
		s, _ := got.Score.Get()
		c, _ := got.Confidence.Get()
		if s > score || c > sure || s < 0 {
			t.Fatalf("from %d and %d to %d and %d", score, sure, s, c)
		}
		for _, f := range got.Findings {
			if f.Nature != gate.Advised || f.Hard {
				t.Fatalf("%+v", f)
			}
		}
	})
}

func TestWhatFoundNoPlaceOnACaseIsNotForgotten(t *testing.T) {
	o := v1alpha1.Opinion{Score: new(int32(20))}
	for range listedMax {
		o.Findings = append(o.Findings, v1alpha1.Finding{ID: "readiness", Points: 5})
	}
	got := Advised(gate.Assessment{Score: gate.Known(90)}, o)
	if score, _ := got.Score.Get(); score != 20 {
		t.Errorf("score %d", score)
	}
}

func TestACaseOfAWaitTellsWhatWasAnsweredInTheEnd(t *testing.T) {
	c := &v1alpha1.Case{Spec: v1alpha1.CaseSpec{Answer: &v1alpha1.Answer{Said: Retried, Opinion: v1alpha1.Opinion{Decision: "Allow"}}}}
	if saidOn(c) != Retried || answeredWith(c).Decision != "Allow" {
		t.Errorf("before its end: %s, %s", saidOn(c), answeredWith(c).Decision)
	}
	c.Status.Answer, c.Status.Opinion = Warned, v1alpha1.Opinion{Decision: "Hold"}
	if saidOn(c) != Warned || answeredWith(c).Decision != "Hold" {
		t.Errorf("after it: %s, %s", saidOn(c), answeredWith(c).Decision)
	}
}
