package drift_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"moorgate.dev/drift"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// TestAModelIsAskedOnceAboutADrift shows that a round waits for no model, that what one says stays on the Case over later rounds, and
// that it is not asked again while the rules see the same.
func TestAModelIsAskedOnceAboutADrift(t *testing.T) {
	s := deployed(t, web)
	var calls atomic.Int64
	answer := make(chan struct{})
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	s.ok(err)
	s.detector.Door, s.detector.Aside = door, flow.NewAside(t.Context(), 1, 8)
	s.detector.Beside = func(rules flow.Advisor) flow.Advisor {
		return flow.AdvisorFunc(func(ctx context.Context, q flow.Question) gate.Assessment {
			a := rules.Advise(ctx, q)
			calls.Add(1)
			<-answer
			if holds, known := q.Claims[flow.Claim{Kind: drift.ClaimManager, Object: "containers[name=app].image=kubectl-set"}].Get(); !known || !holds || len(q.Evidence) == 0 {
				t.Errorf("the model is told %+v", q.Claims)
			}
			a.Findings = append(a.Findings, gate.Finding{ID: "model-1", Text: "the model: it looks like an emergency fix", Nature: gate.Advised})
			return a
		})
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if c := s.onlyCase(); c.Status.Alone == "" || c.Status.Decision == "" {
		t.Errorf("before the model has answered, the Case says %+v", c.Status)
	}
	close(answer)
	deadline := time.Now().Add(time.Minute)
	for advised := false; !advised; {
		if time.Now().After(deadline) {
			t.Fatalf("nothing came onto the Case: %+v", s.onlyCase().Status)
		}
		time.Sleep(50 * time.Millisecond)
		for _, f := range s.onlyCase().Status.Findings {
			advised = advised || f.Nature == string(gate.Advised)
		}
	}
	before := s.onlyCase()
	for range 3 {
		s.round()
	}
	after := s.onlyCase()
	if calls.Load() != 1 || after.ResourceVersion != before.ResourceVersion || !strings.Contains(asJSON(after.Status.Findings), "emergency fix") {
		t.Errorf("asked %d times; the Case went from %s to %s: %+v", calls.Load(), before.ResourceVersion, after.ResourceVersion, after.Status.Findings)
	}
}
