package checks

import (
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

func TestWhatStoodBeforeRefusesNothing(t *testing.T) {
	badPort := func(r *Rollout) { app(r).ReadinessProbe.HTTPGet.Port.StrVal = "nope" }
	badBefore := func(r *Rollout) { // the workload runs with this very template
		update(r)
		r.Old.Template = *r.New.Template.DeepCopy()
	}
	strict := gate.Policy{Rails: []gate.Rail{{Name: "strict", Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(100),
		DenyBelow: gate.Known(100), ConfidenceBelow: gate.Known(0), DenyPending: true}}}
	missing := steps(env("db", nil), func(r *Rollout) { r.World.Secrets = map[string]gate.Fact[bool]{"db": gate.Known(false)} })
	replicas := func(n int32) func(*Rollout) { return func(r *Rollout) { r.New.Replicas = n } }
	pause := func(r *Rollout) { r.New.Paused = true }
	resume := func(r *Rollout) { r.Old.Paused = true }
	was := func(r *Rollout) { // an earlier revision with the template that is asked for
		r.World.Revisions = gate.Known([]Revision{{Name: "web-1", Number: 1, Hash: Hash(r.New.Template)}})
	}
	tight := func(r *Rollout) { quota(list("pods", "3"), list("pods", "3"))(r) }
	recreate := func(r *Rollout) { r.New.Recreate, r.New.MaxUnavailable = true, r.New.Replicas }
	forbid := func(r *Rollout) {
		b := policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Spec: policyv1.PodDisruptionBudgetSpec{
			Selector: r.New.Selector, MaxUnavailable: ptr(intstr.FromInt32(0))}}
		r.World.Budgets = gate.Known([]policyv1.PodDisruptionBudget{b})
	}
	afterwards := func(r *Rollout) { r.Afterwards = true }
	for _, tt := range []struct {
		name     string
		change   func(*Rollout)
		decision gate.Decision
	}{
		{"a new template with a bad probe is denied", steps(update, badPort), gate.Deny},
		{"so is a create", badPort, gate.Deny},
		{"so is a new bad template that shrinks and pauses too", steps(update, badPort, replicas(1), pause), gate.Deny},
		{"growing an unchanged bad template is let in", steps(badPort, badBefore, replicas(5)), gate.Hold},
		{"shrinking it is", steps(badPort, badBefore, replicas(0)), gate.Hold},
		{"pausing it is", steps(badPort, badBefore, pause), gate.Hold},
		{"shrinking into another finding is", steps(badBefore, replicas(1), recreate), gate.Hold},
		{"a restart of it is a rollout like any other", steps(badPort, badBefore, func(r *Rollout) {
			r.New.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		}), gate.Deny},
		{"resuming a bad template that was never rolled out is its rollout", steps(badPort, badBefore, resume), gate.Deny},
		{"whatever else it does", steps(badPort, badBefore, resume, replicas(1)), gate.Deny},
		{"resuming one that was is not", steps(badPort, badBefore, resume, was), gate.Hold},
		{"a strategy that gets worse counts", steps(badBefore, recreate), gate.Deny},
		{"a budget that forbids all was there before", steps(badBefore, forbid, replicas(4)), gate.Hold},
		{"growing out of a quota counts", steps(badBefore, tight, replicas(5)), gate.Deny},
		{"shrinking under a full quota does not", steps(badBefore, tight, replicas(2)), gate.Allow},
		{"what is missing counts for a new template where the Guardrail says so", steps(update, missing), gate.Deny},
		{"what was missing before does not", steps(missing, badBefore, replicas(5)), gate.Hold},
		{"a return to a bad revision is let in", steps(update, badPort, was), gate.Hold},
		{"but not to one that misses something where the Guardrail says so", steps(update, missing, was), gate.Deny},
		{"nor is one to a template that no node suits any more", steps(update, func(r *Rollout) { r.New.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"} }, was), gate.Hold},
		{"what is judged after it came in is judged whole", steps(badPort, badBefore, afterwards), gate.Deny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sound()
			tt.change(&r)
			facts := gate.Facts{Menu: menu}
			facts.Rollback, facts.Failing = Facts(r)
			a := Assess(r, menu)
			if v := gate.Decide(strict, a, facts); v.Decision != tt.decision {
				t.Errorf("%s, want %s: %+v of %+v", v.Decision, tt.decision, v.Reasons, a.Findings)
			}
		})
	}
}

func TestNoBrakeIsEverDenied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRollout(t)
		old := r.New
		old.Replicas = r.New.Replicas + rapid.Int32Range(1, 9).Draw(t, "fewer")
		if rapid.Bool().Draw(t, "pause") {
			r.New.Paused, old.Replicas = true, r.New.Replicas
		}
		r.Old = &old
		facts := gate.Facts{Menu: menu}
		facts.Rollback, facts.Failing = Facts(r)
		strict := gate.Policy{Rails: []gate.Rail{{Name: "strict", Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(100),
			DenyBelow: gate.Known(100), ConfidenceBelow: gate.Known(100), DenyPending: rapid.Bool().Draw(t, "denyPending")}}}
		if v := gate.Decide(strict, Assess(r, menu), facts); v.Decision == gate.Deny {
			t.Fatalf("%+v", v.Reasons)
		}
	})
}

func TestRevisionsBeyondThoseLookedAtAreUnknown(t *testing.T) {
	r := sound()
	update(&r)
	r.World.Revisions, r.World.OlderRevisions = gate.Known([]Revision{{Hash: "another"}}), 7
	if rollback, _ := Facts(r); rollback.Why() == "" {
		t.Errorf("rollback is %v, want unknown", rollback)
	}
	r.World.Revisions = gate.Known([]Revision{{Hash: Hash(r.New.Template)}})
	if rollback, _ := Facts(r); !must(rollback) {
		t.Error("a revision that was looked at is not recognised")
	}
}

func must(f gate.Fact[bool]) bool { v, _ := f.Get(); return v }
