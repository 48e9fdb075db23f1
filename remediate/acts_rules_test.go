package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
)

// TestTwoLeadersActOnce shows two processes that both believe they lead, each with a log of its own.
func TestTwoLeadersActOnce(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3)
	before := uids(h.pods("web", 3, every))
	one, stopOne := h.acting()
	two, stopTwo := h.acting()
	h.judging()
	a := h.acted("web", v1alpha1.PhaseHealed)
	h.overTwoSweeps()
	stopOne()
	stopTwo()
	if n := gone(before, uids(h.pods("web", 3, every))); n != 1 || h.stands(pod) || a.Attempts != 1 {
		t.Errorf("%d pods were evicted, the ill one stands: %t, %+v", n, h.stands(pod), a)
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultHealed {
		t.Errorf("the ledger has %+v", s)
	}
	done := 0
	for _, dir := range []string{one, two} {
		records, err := read(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.Kind == gate.RecordOutcome && *r.Outcome == gate.OutcomeDone {
				done++
			}
		}
	}
	if done != 1 {
		t.Errorf("the logs tell of %d evictions", done)
	}
}

// TestABudgetOfOne shows two happenings and one action to spend: the other is held, and says why.
func TestABudgetOfOne(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Budgets.PerNamespace = v1alpha1.Budget{Actions: 1, Window: "1h"} })
	pods := map[string]func() bool{}
	for _, name := range []string{"one", "two"} {
		pod := h.ill(name, 3)
		pods[name] = func() bool { return h.stands(pod) }
	}
	h.judging()
	h.acting()
	var phases []string
	h.eventually("one to act and the other to be held", func() error {
		phases = nil
		for _, name := range []string{"one", "two"} {
			phases = append(phases, h.acted(name, v1alpha1.PhaseHealed, v1alpha1.PhaseHeld).Phase)
		}
		slices.Sort(phases)
		if !slices.Equal(phases, []string{v1alpha1.PhaseHealed, v1alpha1.PhaseHeld}) {
			return errors.New(strings.Join(phases, " "))
		}
		return nil
	})
	if pods["one"]() == pods["two"]() {
		t.Errorf("the ill pods stand: %t and %t", pods["one"](), pods["two"]())
	}
	for _, name := range []string{"one", "two"} {
		if a := h.acted(name, v1alpha1.PhaseHealed, v1alpha1.PhaseHeld); a.Phase == v1alpha1.PhaseHeld {
			if !slices.Contains(rulesOf(a), "budget") || !strings.Contains(a.Reasons[0].Text, "there may be 1") {
				t.Errorf("%s is held for %+v", name, a.Reasons)
			}
		}
	}
	if s := h.spent(); len(s) != 1 {
		t.Errorf("the ledger has %+v", s)
	}
}

// TestObserveTouchesNothing shows that where nothing may be done the actor writes the status of Cases and nothing else, that no
// Permit is made, and that not even an intent is written.
func TestObserveTouchesNothing(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Mode = "Observe" })
	pod := h.ill("web", 3)
	h.judging()
	var acted atomic.Bool
	dir, stop := h.acting(func(a *assembly) {
		a.at = func(point string) {
			acted.Store(acted.Load() || point == beforeIntent || point == afterClaim || point == afterRequest)
		}
	})
	if a := h.acted("web", v1alpha1.PhaseHeld); !slices.Equal(rulesOf(a), []string{"mode"}) || a.Attempts != 0 {
		t.Errorf("it is held by %v", rulesOf(a))
	}
	h.overTwoSweeps()
	stop()
	if acted.Load() || !h.stands(pod) || len(h.spent()) > 0 {
		t.Errorf("it acted: %t, the ill pod stands: %t, the ledger has %+v", acted.Load(), h.stands(pod), h.spent())
	}
	records, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kindsOf(records) {
		if kind != gate.RecordVerdict {
			t.Errorf("the log has a record of kind %s", kind)
		}
	}
}

// TestL21WhatGitOwnsIsEvictedAtMost shows a workload of Flux: a pod of it is evicted, and neither its template nor an annotation
// on it is written.
func TestL21WhatGitOwnsIsEvictedAtMost(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3, func(d *appsv1.Deployment) { d.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps"} })
	var before, after appsv1.Deployment
	key := client.ObjectKey{Namespace: h.namespace, Name: "web"}
	if err := h.admin.Get(t.Context(), key, &before); err != nil {
		t.Fatal(err)
	}
	h.judging()
	h.acting()
	h.acted("web", v1alpha1.PhaseHealed)
	if err := h.admin.Get(t.Context(), key, &after); err != nil || before.Generation != after.Generation || h.stands(pod) {
		t.Errorf("generation %d became %d (%v), the ill pod stands: %t", before.Generation, after.Generation, err, h.stands(pod))
	}
}

// TestL05ACaseIsBelievedNothing shows forged Cases, as somebody would write them who may: a plan that was never on a menu, a
// workload elsewhere, another workload's name for the same pods, and a name that is not the happening's. None leads to anything.
func TestL05ACaseIsBelievedNothing(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3)
	victim := h.pods("web", 3, every)
	elsewhere := newHouse(t)
	abroad := elsewhere.ill("other", 3)
	var d appsv1.Deployment
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: h.namespace, Name: "web"}, &d); err != nil {
		t.Fatal(err)
	}
	var foreign appsv1.Deployment
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: elsewhere.namespace, Name: "other"}, &foreign); err != nil {
		t.Fatal(err)
	}
	set := metav1.GetControllerOf(&pod)
	hash := pod.Labels["pod-template-hash"]
	plan := func(p corev1.Pod, workload gate.Ref) gate.Action {
		return gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Workload: workload, Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}}
	}
	root := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: h.namespace, Name: "web", UID: string(d.UID)}
	under := gate.Ref{Group: "apps", Version: "v1", Kind: "ReplicaSet", Namespace: h.namespace, Name: set.Name, UID: string(set.UID)}
	strange := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: h.namespace, Name: "other", UID: string(foreign.UID)}
	var well corev1.Pod
	for _, p := range victim {
		if p.UID != pod.UID {
			well = p
		}
	}
	forge := func(subject gate.Ref, key string, chosen gate.Action, rename string) {
		t.Helper()
		c := ours.NewCase(gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Subject: subject, Key: key, At: time.Now()}, nil, nil)
		c.Name += rename
		h.create(c)
		cases := ours.Cases{Client: h.admin, Now: time.Now}
		j := flow.Judgement{Question: flow.Question{Facts: gate.Facts{Subject: subject, Menu: []gate.Action{chosen}}}, Assessment: gate.Assessment{Choice: []string{"evict"}}}
		if err := cases.Keep(t.Context(), client.ObjectKeyFromObject(c), cases.Judged(j, nil)); err != nil {
			t.Fatal(err)
		}
	}
	happening := func(r gate.Ref) string { return strings.Join([]string{"CrashLoop", r.UID, "app", hash}, "/") }
	forge(root, happening(root), plan(well, root), "")            // a pod that is well
	forge(under, happening(under), plan(pod, under), "")          // the right pod, counted against another workload
	forge(strange, happening(strange), plan(abroad, strange), "") // a pod of another namespace
	forge(root, "CrashLoop/"+root.UID+"/other/"+hash, plan(pod, root), "")
	forge(root, happening(root), plan(pod, root), "-forged")
	var acted atomic.Bool
	var looks atomic.Int32
	h.acting(func(a *assembly) {
		a.at = func(point string) { acted.Store(acted.Load() || point == beforeIntent) }
		a.change = func(_ *acting.Acts, evictions *remediate.Hands) {
			evictions.Circumstances.Paused = func(context.Context) gate.Fact[[]string] {
				looks.Add(1)
				return gate.Known[[]string](nil)
			}
		}
	})
	h.eventually("the forged plans to be held, and looked at again and again", func() error {
		held := 0
		for _, c := range h.cases() {
			if c.Status.Acting != nil && c.Status.Acting.Phase == v1alpha1.PhaseHeld && slices.Equal(rulesOf(*c.Status.Acting), []string{"plan"}) {
				held++
			}
		}
		if held != 2 || looks.Load() < 20 {
			return fmt.Errorf("%d are held, after %d looks", held, looks.Load())
		}
		return nil
	})
	if acted.Load() || !h.stands(pod) || !elsewhere.stands(abroad) || len(h.spent()) > 0 {
		t.Errorf("it acted: %t, the pods stand: %t and %t, the ledger has %+v", acted.Load(), h.stands(pod), elsewhere.stands(abroad), h.spent())
	}
}

// TestL08WithoutAnIntentNothingIsDone shows a disk that is full when the intent should be written.
func TestL08WithoutAnIntentNothingIsDone(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3)
	h.judging()
	var tried atomic.Int32
	h.acting(func(a *assembly) {
		a.change = func(acts *acting.Acts, _ *remediate.Hands) { acts.Log = full{acts.Log, &tried} }
	})
	h.eventually("an intent that cannot be written", func() error {
		if tried.Load() == 0 {
			return errors.New("nobody tried")
		}
		return nil
	})
	h.acted("web", v1alpha1.PhaseHeld) // what was reserved for it is spent
	if s := h.spent(); !h.stands(pod) || len(s) != 1 || s[0].Result != gate.ResultPending {
		t.Errorf("the pod stands: %t, the ledger has %+v", h.stands(pod), s)
	}
}

// TestAPanicIsSurvived shows a defect that a look wakes, twice: it is logged, and the third look acts.
func TestAPanicIsSurvived(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	h.ill("web", 3)
	h.judging()
	var looks atomic.Int32
	h.acting(func(a *assembly) {
		a.change = func(_ *acting.Acts, evictions *remediate.Hands) {
			evictions.Circumstances.Paused = func(context.Context) gate.Fact[[]string] {
				if looks.Add(1) <= 2 {
					panic("a defect")
				}
				return gate.Known[[]string](nil)
			}
		}
	})
	h.acted("web", v1alpha1.PhaseHealed)
}

type full struct {
	flow.Log
	tried *atomic.Int32
}

func (f full) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	if r.Kind == gate.RecordIntent {
		f.tried.Add(1)
		return gate.Position{}, errors.New("no space left on device")
	}
	return f.Log.Append(ctx, r)
}
