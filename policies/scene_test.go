package policies

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

var thursday = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// scene is a question that the guardrail is asked: what an advisor says, and what is known.
type scene struct {
	a gate.Assessment
	f gate.Facts
}

// asked is the scene in which the given item of the menu is chosen and nothing speaks against it.
func asked(choice string) scene {
	web := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}
	pod := gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "2"}
	request := func(path string) *gate.Request { return &gate.Request{Method: "POST", Path: path} }
	return scene{
		a: gate.Assessment{Advisor: "test", Cause: "crash", Score: gate.Known(100), Confidence: gate.Known(100), Agreement: gate.Known(100), Choice: []string{choice}},
		f: gate.Facts{At: thursday, Subject: web, Namespace: gate.Known(map[string]string{"team": "a"}),
			Menu: []gate.Action{
				{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer, Target: web},
				{ID: "annotate", Verb: "annotate", Reach: gate.ReachMark, Target: web, Request: request("/apis/apps/v1/namespaces/shop/deployments/web")},
				{ID: "pull-request", Verb: "pull-request", Reach: gate.ReachGit, Target: web, Edits: []gate.Edit{{Path: "spec.replicas", Old: "4", New: "6"}}},
				{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: pod, Workload: web, Request: request("/api/v1/namespaces/shop/pods/web-1/eviction")},
				{ID: "roll-back", Verb: "roll-back", Reach: gate.ReachLive, Target: web, Undo: "roll forward", Request: request("/apis/apps/v1/namespaces/shop/deployments/web"),
					Edits: []gate.Edit{{Path: "spec.replicas", Old: "4", New: "6"}}},
				holding(web),
			},
			Paused: gate.Known[[]string](nil), Rollback: gate.Known(false), Failing: gate.Known(true),
			Since: gate.Known(thursday.Add(-time.Hour)), Oldest: gate.Known(thursday.Add(-time.Second)), Owner: gate.Known(gate.Owner{}), Drift: gate.Known(""),
			Health: gate.Known(gate.Share{Well: 20, Total: 20}), Storm: gate.Known(0), Ledger: gate.Known(gate.Ledger{}),
			History: gate.Known(gate.Tally{Cause: "crash", Verb: choice, Tried: 60, Healed: 60}), Approvals: gate.Known[[]gate.Approval](nil)},
	}
}

// holding is the delivery of an object held.
func holding(r gate.Ref) gate.Action {
	a := gate.Holding(r)
	a.Request = &gate.Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=moorgate-hold"}
	return a
}

// but is the scene with something changed.
func (s scene) but(change func(a *gate.Assessment, f *gate.Facts)) scene {
	s.f.Menu = slices.Clone(s.f.Menu)
	change(&s.a, &s.f)
	return s
}

func score(n int) func(*gate.Assessment, *gate.Facts) {
	return func(a *gate.Assessment, _ *gate.Facts) { a.Score = gate.Known(n) }
}

// spent is what was done before: actions on a workload of a namespace, the given time ago.
func spent(rail, namespace, workload string, ago ...time.Duration) func(*gate.Assessment, *gate.Facts) {
	return func(_ *gate.Assessment, f *gate.Facts) {
		var l gate.Ledger
		for i, d := range ago {
			l.Entries = append(l.Entries, gate.Spent{ID: fmt.Sprint(i), At: f.At.Add(-d), Guardrails: []string{rail}, Namespace: namespace,
				Workload: "apps/Deployment/" + namespace + "/" + workload, Verb: "evict", Target: "/Pod/" + namespace + "/" + workload + "-1", Result: gate.ResultHealed})
		}
		f.Ledger = gate.Known(l)
	}
}

// approvedBy is the word of people on what is chosen.
func approvedBy(people ...string) func(*gate.Assessment, *gate.Facts) {
	return func(a *gate.Assessment, f *gate.Facts) {
		i := slices.IndexFunc(f.Menu, func(m gate.Action) bool { return m.ID == a.Choice[0] })
		var given []gate.Approval
		for _, p := range people {
			given = append(given, gate.Approval{Name: p, Approver: p, Plan: f.Menu[i].PlanDigest(), At: f.At.Add(-time.Minute), Expires: f.At.Add(time.Hour)})
		}
		f.Approvals = gate.Known(given)
	}
}

// decided is what the Guardrails of a file decide in a scene.
func decided(t testing.TB, content []byte, s scene) (gate.Policy, gate.Verdict) {
	t.Helper()
	return decidedIn(t, content, nil, s)
}

// decidedIn is what the Guardrails of a file decide in a scene, in a namespace with more labels.
func decidedIn(t testing.TB, content []byte, namespace labels.Set, s scene) (gate.Policy, gate.Verdict) {
	t.Helper()
	var rails []unstructured.Unstructured
	if content != nil {
		var err error
		if rails, err = Parse("scene.yaml", content); err != nil {
			t.Fatal(err)
		}
	}
	set, _ := s.f.Namespace.Get()
	p := cluster.Compose(rails, labels.Merge(set, namespace), s.f.At)
	return p, gate.Decide(p, s.a, s.f)
}

// answered is what comes of a rollout: what the webhook does with its verdict.
func answered(p gate.Policy, v gate.Verdict) string {
	switch {
	case p.Refuses(v):
		return "refused"
	case v.Decision < gate.Allow && p.Admission() > gate.AdmissionObserve:
		return "let in with a warning"
	}
	return "let in"
}
