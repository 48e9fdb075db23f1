package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/test/cluster"
)

// approver is a client of somebody who may approve in the namespace, from when it is sure that this counts.
func (h *house) approver(user string) client.Client {
	h.t.Helper()
	h.create(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "approvers-" + user},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-approver"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}})
	config := cluster.Shared(h.t).Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	k := newClient(h.t, config)
	fences, err := ours.VouchingFences(charts.Files)
	if err != nil {
		h.t.Fatal(err)
	}
	approvals := ours.Approvals{Reader: h.admin, Fences: fences, Now: time.Now}
	h.eventually("the word of "+user+" to count", func() error {
		probe := approval(h.namespace, "probe", user, "sha256:"+strings.Repeat("0", 64))
		if err := k.Create(h.t.Context(), probe); err != nil {
			return err
		}
		given, _ := approvals.For(h.t.Context(), h.namespace, "probe").Get()
		err := h.admin.Delete(h.t.Context(), probe)
		if len(given) != 1 || given[0].Void != "" {
			time.Sleep(time.Second)
			return errors.Join(err, fmt.Errorf("it does not yet: %+v", given))
		}
		return err
	})
	return k
}

func approval(namespace, caseName, user, plan string) *v1alpha1.Approval {
	return &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "word-"},
		Spec: v1alpha1.ApprovalSpec{Case: caseName, Plan: plan, Approver: user, Reason: "looked at it"}}
}

// held waits until the Case of a workload is held by a rule, and returns its name too.
func (h *house) held(workload, rule, text string) (string, v1alpha1.Acting) {
	h.t.Helper()
	var name string
	var acting v1alpha1.Acting
	h.eventually(workload+" to be held by "+rule, func() error {
		for _, c := range h.cases() {
			if a := c.Status.Acting; c.Spec.Subject.Name == workload && a != nil {
				name, acting = c.Name, *a
				if a.Phase == v1alpha1.PhaseHeld && slices.ContainsFunc(a.Reasons, func(r v1alpha1.Reason) bool { return r.Rule == rule && strings.Contains(r.Text, text) }) {
					return nil
				}
			}
		}
		return fmt.Errorf("it is %+v", acting)
	})
	return name, acting
}

func TestAHumanIsWaitedFor(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Mode = "Approve" })
	ana := h.approver("ana")
	pod := h.ill("web", 3)
	h.judging()
	dir, stop := h.acting()
	name, a := h.held("web", "approval", "0 of 1 have approved")
	word := approval(h.namespace, name, "ana", a.Plan)
	if !h.stands(pod) {
		t.Fatal("nobody was waited for")
	}
	if err := ana.Create(t.Context(), word); err != nil {
		t.Fatal(err)
	}
	a = h.acted("web", v1alpha1.PhaseHealed)
	if err := h.admin.Get(t.Context(), client.ObjectKeyFromObject(word), word); err != nil || word.Status.Used == nil || word.Status.Used.Reservation != a.Intent.Reservation {
		t.Errorf("the Approval was used for %+v (%v), want %s", word.Status.Used, err, a.Intent.Reservation)
	}
	stop()
	records, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if kinds := kindsOf(records); !slices.Equal(kinds, []gate.RecordKind{gate.RecordVerdict, gate.RecordApproval, gate.RecordIntent, gate.RecordOutcome, gate.RecordVerification}) {
		t.Errorf("the log has %v", kinds)
	}
	for _, r := range records {
		if r.Kind == gate.RecordApproval && (r.Approval.Approver != "ana" || r.Digest != a.Plan) {
			t.Errorf("the log has the word %+v", r.Approval)
		}
	}
}

// TestAChangedPlanIsNotWhatWasApproved shows a pod that recovers after somebody approved its eviction, while another falls ill: the
// word is for another plan, and nothing is done.
func TestAChangedPlanIsNotWhatWasApproved(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	g := h.guardrail(func(g *v1alpha1.GuardrailSpec) {
		g.Mode, g.Pause = "Approve", []v1alpha1.Pause{{Reason: "not yet"}}
	})
	ana := h.approver("ana")
	first := h.ill("web", 3)
	h.judging()
	h.acting()
	name, a := h.held("web", "pause", "not yet")
	if err := ana.Create(t.Context(), approval(h.namespace, name, "ana", a.Plan)); err != nil {
		t.Fatal(err)
	}
	h.held("web", "pause", "not yet")
	second := h.pods("web", 3, every)[1]
	if second.UID == first.UID {
		second = h.pods("web", 3, every)[2]
	}
	h.sicken(&second)
	h.heal(&first)
	h.eventually("another plan", func() error {
		if _, now := h.held("web", "pause", "not yet"); now.Plan == a.Plan {
			return errors.New("it is the same")
		}
		return nil
	})
	h.eventually("the pause to end", func() error {
		if err := h.admin.Get(context.Background(), client.ObjectKeyFromObject(g), g); err != nil {
			return err
		}
		g.Spec.Pause = nil
		return h.admin.Update(context.Background(), g)
	})
	h.held("web", "approval", "0 of 1 have approved")
	h.held("web", "approval", "1 is for another plan")
	for _, pod := range []corev1.Pod{first, second} {
		if !h.stands(pod) {
			t.Errorf("%s was evicted, which nobody approved", pod.Name)
		}
	}
	if s := h.spent(); len(s) > 0 {
		t.Errorf("the ledger has %+v", s)
	}
}

// TestARejectionStands shows that one who says no outweighs another who says yes.
func TestARejectionStands(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Mode = "Approve" })
	ana, bo := h.approver("ana"), h.approver("bo")
	pod := h.ill("web", 3)
	h.judging()
	h.acting()
	name, a := h.held("web", "approval", "0 of 1 have approved")
	no := approval(h.namespace, name, "bo", a.Plan)
	no.Spec.Decision = v1alpha1.DecisionReject
	if err := bo.Create(t.Context(), no); err != nil {
		t.Fatal(err)
	}
	if err := ana.Create(t.Context(), approval(h.namespace, name, "ana", a.Plan)); err != nil {
		t.Fatal(err)
	}
	h.held("web", "approval", "bo rejected it")
	if !h.stands(pod) {
		t.Error("it was evicted all the same")
	}
}

// TestACrashSpendsAnApproval shows a process that is killed when it has used somebody's word and not yet claimed the Case: nothing was
// done, the word is spent, and another is asked for.
func TestACrashSpendsAnApproval(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Mode = "Approve" })
	ana := h.approver("ana")
	pod := h.ill("web", 3)
	h.judging()
	dir := filepath.Join(t.TempDir(), "audit")
	first := h.process(afterUse, dir)
	name, a := h.held("web", "approval", "0 of 1 have approved")
	word := approval(h.namespace, name, "ana", a.Plan)
	if err := ana.Create(t.Context(), word); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); !killed(err) {
		t.Fatalf("the process was not killed: %v", err)
	}
	h.acting(func(a *assembly) { a.dir = dir })
	h.held("web", "approval", "1 was used before")
	h.eventually("the intent to have an outcome", func() error { return h.paired(dir, []gate.Outcome{gate.OutcomeRefused}) })
	h.eventually("the ledger to say so", func() error {
		if s := h.spent(); !h.stands(pod) || len(s) != 1 || s[0].Result != gate.ResultRefused {
			return fmt.Errorf("the pod stands: %t, the ledger has %+v", h.stands(pod), s)
		}
		return nil
	})
}
