package drift_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const reconcileAnnotation = "kustomize.toolkit.fluxcd.io/reconcile"

// roads is a harbour in which a Kustomization of Flux delivers web, somebody has scaled it, and a pull request about that is open.
type roads struct {
	*harbour
	y     *delivery
	drift v1alpha1.Case
	log   *kept
	holds *acting.Acts
}

// kept remembers what is written to a log.
type kept struct {
	flow.Log
	records []gate.Record
}

func (k *kept) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	k.records = append(k.records, r)
	return k.Log.Append(ctx, r)
}

func newRoads(t *testing.T, change ...func(*v1alpha1.GuardrailSpec)) *roads {
	t.Helper()
	y := newDelivery(t)
	r := &roads{y: y}
	lets := func(g *v1alpha1.GuardrailSpec) {
		none, many := int32(0), int32(10000)
		g.Mode, g.Drift.Hold, g.Drift.HoldFor = "Approve", "Ask", "1h"
		g.Restraint.MinHealthyPercent, g.Restraint.StormCases = &none, &many
	}
	r.harbour = harbourOf(y.stage, map[string]string{"deploy/web.yaml": web}, append([]func(*v1alpha1.GuardrailSpec){lets}, change...)...)
	r.ok(r.admin.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "moorgate-act-hold"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-act-hold"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "moorgate-system", Name: "moorgate-act"}}}))
	y.gitRepository(map[string]any{"url": r.repo.Clone()}, r.repo.Head("main"))
	y.kustomization("apps", map[string]any{"path": "./deploy"}, r.repo.Head("main"), "web")
	y.applied(web)
	r.kubectl("", "label", "deployment/web", "kustomize.toolkit.fluxcd.io/name=apps", "kustomize.toolkit.fluxcd.io/namespace="+r.ns)
	r.kubectl("", "scale", "deployment/web", "--replicas=5")
	y.rounds()
	r.drift = r.standing()
	if a := r.act(r.drift); a.Phase != v1alpha1.PhaseActed {
		t.Fatalf("the pull request: %s", asJSON(a))
	}
	y.rounds()
	r.passed = time.Minute
	r.holds, r.log = r.second()
	return r
}

// second is one more process that holds.
func (r *roads) second() (*acting.Acts, *kept) {
	r.t.Helper()
	as, err := r.cluster.ServiceAccount(r.t.Context(), "moorgate-system", "moorgate-act")
	r.ok(err)
	hand, err := cluster.NewHand(cluster.Guarded(as, cluster.OwnOfAct()))
	r.ok(err)
	acts, face := r.crew(r.t)
	log := &kept{Log: acts.Log}
	face.Log, face.Detector.Client = log, acts.Cases.Client
	holds := &drift.Holds{Proposals: face, Guardrails: acts.Guardrails, Hand: hand}
	r.ok(holds.Complete())
	acts.Face, acts.Actor, acts.Log = holds, hand, log
	return acts, log
}

// asked is the Case by which people are asked whether to hold.
func (r *roads) askedCase() v1alpha1.Case {
	r.t.Helper()
	for _, k := range r.cases() {
		if k.Spec.Signal.Reason == "DriftUndecided" {
			return k
		}
	}
	r.t.Fatalf("nobody is asked: %s", asJSON(r.cases()))
	return v1alpha1.Case{}
}

// approve has a person approve what was chosen for a Case.
func (r *roads) approve(k v1alpha1.Case, user string) {
	r.t.Helper()
	ctx := r.t.Context()
	r.ok(r.admin.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "approvers-" + user},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-approver"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}}))
	config := rest.CopyConfig(r.cluster.Config())
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	person := r.client(config)
	fences, err := cluster.VouchingFences(charts.Files)
	r.ok(err)
	approvals := cluster.Approvals{Reader: r.admin, Fences: fences, Now: time.Now}
	var last error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		word := &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, GenerateName: "word-"},
			Spec: v1alpha1.ApprovalSpec{Case: k.Name, Plan: k.Status.Menu[0].Digest, Approver: user, Reason: "looked at it"}}
		if last = person.Create(ctx, word); last != nil {
			continue
		}
		given, _ := approvals.For(ctx, r.ns, k.Name).Get()
		if len(given) > 0 && given[len(given)-1].Void == "" {
			return
		}
		last = errors.Join(fmt.Errorf("it does not count yet: %+v", given), r.admin.Delete(ctx, word))
	}
	r.t.Fatalf("the word of %s: %v", user, last)
}

// web is the object as it is now.
func (r *roads) web() *appsv1.Deployment {
	r.t.Helper()
	var d appsv1.Deployment
	r.ok(r.admin.Get(r.t.Context(), client.ObjectKey{Namespace: r.ns, Name: "web"}, &d))
	return &d
}

func (r *roads) held() string { return r.web().Annotations[reconcileAnnotation] }

// holding has a delivery held, and answers its Case.
func (r *roads) holding() v1alpha1.Case {
	r.t.Helper()
	k := r.askedCase()
	r.approve(k, "ana-"+r.ns)
	if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseActed || r.held() != "disabled" {
		r.t.Fatalf("approved: acting %s; the annotation is %q", asJSON(a), r.held())
	}
	return k
}

// did are the verbs of the records of a kind.
func (k *kept) did(kind gate.RecordKind) string {
	var all []string
	for _, r := range k.records {
		if r.Kind == kind && r.Action != nil {
			all = append(all, r.Action.Verb)
		}
	}
	return strings.Join(all, " ")
}

func TestADeliveryIsHeldOnceApprovedUntilWhatPeopleMergedIsDelivered(t *testing.T) {
	r := newRoads(t)
	k := r.askedCase()
	before := r.web()
	if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseHeld || !strings.Contains(a.Text, "waits for approval") || r.held() != "" {
		t.Fatalf("nobody approved: acting %s; the annotation is %q", asJSON(a), r.held())
	}
	r.holding()
	now := r.web()
	delete(now.Annotations, reconcileAnnotation)
	if asJSON(before.Spec) != asJSON(now.Spec) || !maps.Equal(before.Labels, now.Labels) || !maps.Equal(before.Annotations, now.Annotations) {
		t.Errorf("something else was changed: before %s, now %s", asJSON(before), asJSON(now))
	}
	r.y.rounds()
	if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseActed || r.held() != "disabled" || len(r.open()) != 2 {
		t.Errorf("while it is undecided: acting %s; the annotation is %q; %d Cases stand", asJSON(a), r.held(), len(r.open()))
	}
	if n, err := drift.Open(t.Context(), r.admin); err != nil || n < 1 {
		t.Errorf("%d pull requests, %v", n, err)
	}
	r.repo.Merge(1)
	if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseActed || r.held() != "disabled" {
		t.Errorf("merged and not delivered: acting %s; the annotation is %q", asJSON(a), r.held())
	}
	head := "main@sha1:" + r.repo.Head("main")
	r.kubectl("", "patch", "gitrepository.source.toolkit.fluxcd.io/code", "--type=merge", "-p", `{"status":{"artifact":{"revision":"`+head+`"}}}`)
	r.kubectl("", "patch", "kustomization.kustomize.toolkit.fluxcd.io/apps", "--type=merge", "-p", `{"status":{"lastAppliedRevision":"`+head+`"}}`)
	r.y.rounds()
	if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseHealed || r.held() != "" {
		t.Errorf("delivered: acting %s; the annotation is %q", asJSON(a), r.held())
	}
	for kind, want := range map[gate.RecordKind]string{gate.RecordIntent: "hold-delivery release-delivery", gate.RecordOutcome: "hold-delivery release-delivery"} {
		if got := r.log.did(kind); got != want {
			t.Errorf("the log has %s of %q, want %q", kind, got, want)
		}
	}
	for _, m := range r.web().ManagedFields {
		if m.Manager == cluster.HoldOwner {
			t.Errorf("its manager is left behind: %+v", m)
		}
	}
}

func TestADeliveryIsLetGo(t *testing.T) {
	for name, end := range map[string]func(*roads){
		"when people close the pull request": func(r *roads) { r.repo.Close(1) },
		"when its time is over":              func(r *roads) { r.passed += time.Hour },
		"when the drift is gone": func(r *roads) {
			r.kubectl("", "scale", "deployment/web", "--replicas=2")
			r.y.rounds()
		},
		"when no Guardrail lets it be held any more": func(r *roads) {
			r.kubectl("", "patch", "guardrail/"+r.ns, "--type=merge", "-p", `{"spec":{"drift":{"hold":"Never"}}}`)
		},
		"when the Case of its drift is gone": func(r *roads) { r.ok(r.admin.Delete(r.t.Context(), &r.drift)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoads(t)
			k := r.holding()
			end(r)
			other, log := r.second() // whoever acts then
			if a := r.actBy(other, k); a.Phase != v1alpha1.PhaseHealed || r.held() != "" || log.did(gate.RecordIntent) != "release-delivery" {
				t.Errorf("acting %s; the annotation is %q; it set out to %q", asJSON(a), r.held(), log.did(gate.RecordIntent))
			}
		})
	}
}

func TestWhatAPersonMakesOfTheAnnotationIsTheirs(t *testing.T) {
	annotate := func(more ...string) func(*roads) {
		return func(r *roads) {
			r.kubectl("", append([]string{"annotate", "deployment/web", "--overwrite"}, more...)...)
		}
	}
	for name, c := range map[string]struct {
		change func(*roads)
		stays  string
	}{
		"taken away":            {annotate(reconcileAnnotation + "-"), ""},
		"set to something else": {annotate(reconcileAnnotation + "=enabled"), "enabled"},
		"taken over": {func(r *roads) {
			annotate(reconcileAnnotation + "-")(r)
			annotate(reconcileAnnotation + "=disabled")(r)
		}, "disabled"},
		"said by them as well": {func(r *roads) {
			r.kubectl("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations: {"+reconcileAnnotation+": disabled}\n",
				"apply", "--server-side", "--field-manager=ana", "-f", "-")
		}, "disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoads(t)
			k := r.holding()
			c.change(r)
			r.repo.Close(1)
			if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseHealed || r.held() != c.stays || r.log.did(gate.RecordIntent) != "hold-delivery" {
				t.Errorf("acting %s; the annotation is %q, want %q; it set out to %q", asJSON(a), r.held(), c.stays, r.log.did(gate.RecordIntent))
			}
		})
	}
}

func TestADeliveryIsNotHeld(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*roads)
		says   string
	}{
		"where a person says something by the annotation": {func(r *roads) { r.kubectl("", "annotate", "deployment/web", reconcileAnnotation+"=disabled") }, "it is theirs"},
		"of what no Kustomization delivers": {func(r *roads) {
			r.kubectl("", "label", "deployment/web", "kustomize.toolkit.fluxcd.io/name-")
		}, "not a HelmRelease, and not Argo CD"},
		"once people have decided": {func(r *roads) { r.repo.Close(1) }, ""},
		"where it was not enabled": {func(r *roads) {
			r.ok(r.admin.Delete(r.t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: r.ns, Name: "moorgate-act-hold"}}))
		}, "--enable hold"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoads(t)
			k := r.askedCase()
			r.approve(k, "ana-"+r.ns)
			was := r.held()
			c.change(r)
			if now := r.held(); now != "" {
				was = now
			}
			a := r.actBy(r.holds, k)
			if a.Phase == v1alpha1.PhaseActed || a.Attempts > 0 && c.says != "--enable hold" || r.held() != was || !strings.Contains(a.Text, c.says) {
				t.Errorf("acting %s; the annotation is %q", asJSON(a), r.held())
			}
		})
	}
	t.Run("where no Guardrail lets people be asked", func(t *testing.T) {
		r := newRoads(t, func(g *v1alpha1.GuardrailSpec) { g.Drift.Hold = "Never" })
		for _, k := range r.cases() {
			if k.Spec.Signal.Reason == "DriftUndecided" {
				t.Errorf("people are asked: %s", asJSON(k))
			}
		}
	})
}

// dying is a hand that dies with its process, before it sends anything or after.
type dying struct {
	flow.Actor
	sends bool
}

func (d dying) Act(ctx context.Context, p gate.Permit, a gate.Action) (gate.Outcome, error) {
	if d.sends {
		_, _ = d.Actor.Act(ctx, p, a)
	}
	panic("the process dies here")
}

// TestWhoeverTakesOverAHoldFindsOut has a process die at each point where the world and the books may differ: another one, with another
// log, finds out, and nothing is held for longer than was allowed.
func TestWhoeverTakesOverAHoldFindsOut(t *testing.T) {
	for name, c := range map[string]struct {
		sends bool
		phase string
		held  string
	}{
		"between the intent and the write":  {false, v1alpha1.PhaseRefused, ""},
		"between the write and its outcome": {true, v1alpha1.PhaseActed, "disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoads(t)
			k := r.askedCase()
			r.approve(k, "ana-"+r.ns)
			r.holds.Actor = dying{r.holds.Actor, c.sends}
			if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseActing {
				t.Fatalf("when it died: acting %s", asJSON(a))
			}
			other, _ := r.second()
			r.actBy(other, k)
			r.passed += 3 * time.Minute
			if a := r.actBy(other, k); a.Phase != c.phase || r.held() != c.held {
				t.Fatalf("taken over: acting %s; the annotation is %q", asJSON(a), r.held())
			}
			r.passed += time.Hour // which counts from the intent
			r.actBy(other, k)
			if r.held() != "" {
				t.Errorf("it is held still")
			}
		})
	}
	for name, sends := range map[string]bool{"before what is let go is sent": false, "after what is let go was sent": true} {
		t.Run(name, func(t *testing.T) {
			r := newRoads(t)
			k := r.holding()
			r.repo.Close(1)
			face := r.holds.Face.(*drift.Holds)
			face.Hand = dying{face.Hand, sends}
			if a := r.actBy(r.holds, k); a.Phase != v1alpha1.PhaseActed {
				t.Fatalf("when it died: acting %s", asJSON(a))
			}
			other, _ := r.second()
			if a := r.actBy(other, k); a.Phase != v1alpha1.PhaseHealed || r.held() != "" {
				t.Errorf("taken over: acting %s; the annotation is %q", asJSON(a), r.held())
			}
		})
	}
}

// TestOfTwoThatWouldHoldOneDoes shows that one approval is good for one hold, and that two that let go do not get in each other's way.
func TestOfTwoThatWouldHoldOneDoes(t *testing.T) {
	r := newRoads(t)
	k := r.askedCase()
	r.approve(k, "ana-"+r.ns)
	other, log := r.second()
	both := func() {
		done := make(chan v1alpha1.Acting)
		go func() { done <- r.actBy(other, k) }()
		r.actBy(r.holds, k)
		<-done
	}
	both()
	sent := strings.Count(r.log.did(gate.RecordOutcome)+" "+log.did(gate.RecordOutcome), "hold-delivery")
	if r.held() != "disabled" || sent < 1 {
		t.Fatalf("the annotation is %q; %d outcomes", r.held(), sent)
	}
	if now := r.actBy(other, k); now.Phase != v1alpha1.PhaseActed || now.Attempts != 1 {
		t.Errorf("acting %s", asJSON(now))
	}
	r.repo.Close(1)
	both()
	both()
	if a := r.actBy(other, k); r.held() != "" || a.Phase != v1alpha1.PhaseHealed {
		t.Errorf("acting %s; the annotation is %q", asJSON(a), r.held())
	}
}

// TestTheFenceLetsTheOneAnnotationThrough shows what moorgate-act may write beside it where it is enabled: nothing.
func TestTheFenceLetsTheOneAnnotationThrough(t *testing.T) {
	r := newRoads(t)
	as, err := r.cluster.ServiceAccount(t.Context(), "moorgate-system", "moorgate-act")
	r.ok(err)
	act := r.client(as)
	for name, body := range map[string]string{
		"replicas":                        `{"spec":{"replicas":1}}`,
		"a label":                         `{"metadata":{"labels":{"a":"b"}}}`,
		"another annotation":              `{"metadata":{"annotations":{"a":"b"}}}`,
		"another value":                   `{"metadata":{"annotations":{"` + reconcileAnnotation + `":"enabled"}}}`,
		"the annotation, and a finalizer": `{"metadata":{"finalizers":["a.b/c"],"annotations":{"` + reconcileAnnotation + `":"disabled"}}}`,
	} {
		for _, options := range [][]client.PatchOption{nil, {client.DryRunAll}} {
			err := act.Patch(t.Context(), r.web(), client.RawPatch("application/merge-patch+json", []byte(body)), options...)
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "'moorgate-act'") {
				t.Errorf("%s, in a dry run %t: %v", name, options != nil, err)
			}
		}
	}
	for _, body := range []string{`{"metadata":{"annotations":{"` + reconcileAnnotation + `":"disabled"}}}`, `{"metadata":{"annotations":{"` + reconcileAnnotation + `":null}}}`} {
		r.ok(act.Patch(t.Context(), r.web(), client.RawPatch("application/merge-patch+json", []byte(body))))
	}
	r.kubectl("", "annotate", "deployment/web", reconcileAnnotation+"=enabled")
	err = act.Patch(t.Context(), r.web(), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"`+reconcileAnnotation+`":null}}}`)))
	if !apierrors.IsForbidden(err) {
		t.Errorf("what it never holds by was taken away: %v", err)
	}
}
