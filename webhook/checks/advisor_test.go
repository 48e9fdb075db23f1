package checks

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

var menu = []gate.Action{{ID: Admit, Verb: "admit", Reach: gate.ReachAnswer}}

// enforce is a Guardrail with the usual thresholds.
var enforce = gate.Policy{Rails: []gate.Rail{{Name: "usual", Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(80),
	DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(60)}}}

func TestVerdicts(t *testing.T) {
	latest := func(r *Rollout) { app(r).Image = "registry.example.com:5000/shop/web:latest" }
	unrequested := func(r *Rollout) { app(r).Resources = corev1.ResourceRequirements{} }
	unprobed := func(r *Rollout) { app(r).ReadinessProbe = nil }
	noQuota := quota(list("pods", "0"), list("pods", "0"))
	noSecret := steps(env("db", nil), func(r *Rollout) { r.World.Secrets = map[string]gate.Fact[bool]{"db": gate.Known(false)} })
	badPort := func(r *Rollout) { app(r).ReadinessProbe.HTTPGet.Port.StrVal = "nope" }
	blind := func(r *Rollout) { env("db", nil)(r); r.World = World{} }
	for _, tt := range []struct {
		name       string
		change     func(*Rollout)
		score      int
		confidence int
		decision   gate.Decision
	}{
		{"a sound rollout is allowed", func(*Rollout) {}, 100, 100, gate.Allow},
		{"latest alone is let in", latest, 90, 100, gate.Allow},
		{"missing requests alone are let in", unrequested, 85, 100, gate.Allow},
		{"a missing probe alone is let in", unprobed, 85, 100, gate.Allow},
		{"two lesser findings warn", steps(latest, unrequested), 75, 100, gate.Hold},
		{"three lesser findings warn", steps(latest, unrequested, unprobed), 60, 100, gate.Hold},
		{"a missing Secret warns", noSecret, 75, 100, gate.Hold},
		{"a quota that does not fit warns", noQuota, 65, 100, gate.Hold},
		{"a quota and a missing Secret together do not deny", steps(noQuota, noSecret), 40, 100, gate.Hold},
		{"a quota and lesser findings deny", steps(noQuota, latest, unprobed), 40, 100, gate.Deny},
		{"but not while the workload fails", steps(noQuota, latest, unprobed, update, sick(waiting("CrashLoopBackOff"))), 20, 100, gate.Hold},
		{"a port name that cannot be resolved denies", badPort, 60, 100, gate.Deny},
		{"knowing nothing warns by confidence, not by score", blind, 100, 37, gate.Hold},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sound()
			tt.change(&r)
			facts := gate.Facts{Menu: menu}
			facts.Rollback, facts.Failing = Facts(r)
			a := Advisor(r).Advise(context.Background(), flow.Question{Facts: facts})
			score, _ := a.Score.Get()
			confidence, _ := a.Confidence.Get()
			if score != tt.score || confidence != tt.confidence {
				t.Errorf("score %d confidence %d, want %d %d: %+v", score, confidence, tt.score, tt.confidence, a.Findings)
			}
			if v := gate.Decide(enforce, a, facts); v.Decision != tt.decision {
				t.Errorf("%s, want %s: %+v", v.Decision, tt.decision, v.Reasons)
			}
		})
	}
}

func TestNothingIsChosenThatIsNotOnTheMenu(t *testing.T) {
	if a := Assess(sound(), nil); len(a.Choice) != 0 {
		t.Errorf("chose %v from an empty menu", a.Choice)
	}
}

func TestTheDocumentationIsComplete(t *testing.T) {
	seen := map[string]bool{}
	dearest := map[string]int{}
	for _, p := range Prices() {
		dearest[p.Check] = max(dearest[p.Check], p.Points)
	}
	for _, c := range All() {
		if c.ID == "" || c.Title == "" || !strings.HasSuffix(c.Law, ".") || seen[c.ID] {
			t.Errorf("check %q is not documented or not unique", c.ID)
		}
		if dearest[c.ID] != c.Points {
			t.Errorf("check %s takes %d, but the table's dearest row says %d", c.ID, c.Points, dearest[c.ID])
		}
		seen[c.ID] = true
	}
	if len(seen) != 22 {
		t.Errorf("%d checks, want 22", len(seen))
	}
}
