package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// court is a namespace with a Case in which people approve, in a cluster whose fences have stood long enough to vouch.
type court struct {
	namespace string
	config    *rest.Config
	admin     client.Client
	approvals cluster.Approvals
}

const disputed = "remediate-web-000000000000"

// evict is a plan that people are asked about.
func (c court) evict() gate.Action {
	return gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: c.namespace, Name: "web-1", UID: "u-1"}}
}

func newCourt(t *testing.T) court {
	t.Helper()
	shared := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), shared.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	c := court{namespace: shared.Namespace(t, map[string]string{"tier": "a"}), config: shared.Config()}
	c.admin = clientOf(t, c.config)
	fences, err := cluster.VouchingFences(charts.Files)
	if err != nil {
		t.Fatal(err)
	}
	c.approvals = cluster.Approvals{Reader: c.admin, Writer: c.admin, Fences: fences, Now: time.Now}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "approvers"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-approver"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "approvers"}}}
	if err := c.admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	c.waitUntilVouchedFor(t)
	return c
}

// waitUntilVouchedFor waits until what is approved counts: until the rights and the fences have settled.
func (c court) waitUntilVouchedFor(t *testing.T) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, time.Minute, true, func(ctx context.Context) (bool, error) {
		probe := c.word("prober")
		probe.Spec.Case = "probe"
		if err := c.as(t, "prober").Create(ctx, probe); err != nil {
			last = err.Error()
			return false, nil
		}
		given, _ := c.approvals.For(ctx, c.namespace, "probe").Get()
		if err := c.admin.Delete(ctx, probe); err != nil || len(given) != 1 {
			return false, errors.Join(err, fmt.Errorf("of one Approval %d were found", len(given)))
		}
		last = given[0].Void
		return last == "", nil
	})
	if err != nil {
		t.Fatalf("wait until Approvals count: %v (last: %s)", err, last)
	}
}

func clientOf(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(s), clientscheme.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	k, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// as is a client of somebody who may approve.
func (c court) as(t *testing.T, user string) client.Client {
	t.Helper()
	config := rest.CopyConfig(c.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"approvers", "system:authenticated"}}
	return clientOf(t, config)
}

func (c court) word(user string) *v1alpha1.Approval {
	return &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, GenerateName: "a-"},
		Spec: v1alpha1.ApprovalSpec{Case: disputed, Plan: c.evict().PlanDigest(), Approver: user}}
}

// says has somebody say something about the Case, after any changes to what is said.
func (c court) says(t *testing.T, user string, changes ...func(*v1alpha1.Approval)) *v1alpha1.Approval {
	t.Helper()
	a := c.word(user)
	for _, change := range changes {
		change(a)
	}
	if err := c.as(t, user).Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

func rejects(a *v1alpha1.Approval) { a.Spec.Decision, a.Spec.Reason = "Reject", "not\x1b[31m now" }
func anAccount(a *v1alpha1.Approval) {
	a.Labels = map[string]string{v1alpha1.LabelApprover: v1alpha1.ApproverServiceAccount}
}
func ofAnotherPlan(a *v1alpha1.Approval) {
	a.Spec.Plan = "sha256:" + strings.Repeat("0", 64)
}

func (c court) given(t *testing.T) []gate.Approval {
	t.Helper()
	fact := c.approvals.For(t.Context(), c.namespace, disputed)
	given, known := fact.Get()
	if !known {
		t.Fatalf("who approved is not known: %s", fact.Why())
	}
	return given
}

// decided is what the rule about approvals says of the plan where so many must approve it.
func (c court) decided(t *testing.T, approvers int, at time.Time) string {
	t.Helper()
	f := gate.Facts{At: at, Menu: []gate.Action{c.evict()}, Approvals: gate.Known(c.given(t))}
	v := gate.Decide(gate.Policy{Rails: []gate.Rail{{Name: "asks", Mode: gate.Approve, Approvers: gate.Known(approvers)}}}, gate.Assessment{Choice: []string{"evict"}}, f)
	for _, r := range v.Reasons {
		if r.Rule == "approval" {
			return r.Decision.String() + ": " + r.Text
		}
	}
	return "Allow"
}

func (c court) decides(t *testing.T, approvers int, at time.Time, want string) {
	t.Helper()
	if got := c.decided(t, approvers, at); !strings.Contains(got, want) {
		t.Errorf("with %d approvers at %s: got %q, want %q", approvers, at.Format(time.TimeOnly), got, want)
	}
}

func soon() time.Time { return time.Now().Add(2 * time.Second) }

// Two people are two, and one who approves twice is one.
func TestApprovalsOfDifferentPeopleAreCounted(t *testing.T) {
	c := newCourt(t)
	c.decides(t, 1, soon(), "0 of 1 have approved")
	c.says(t, "alice", ofAnotherPlan)
	c.decides(t, 1, soon(), "0 of 1 have approved plan "+c.evict().PlanDigest()[:19]+"; 1 is for another plan")
	c.says(t, "alice")
	c.decides(t, 1, soon(), "Allow")
	c.decides(t, 1, time.Now().Add(61*time.Minute), "1 has expired")
	c.says(t, "alice")
	c.decides(t, 2, soon(), "1 of 2 have approved")
	c.says(t, "bob", func(a *v1alpha1.Approval) { a.Spec.TTLSeconds = new(int32(60)) })
	c.decides(t, 2, soon(), "Allow")
	c.decides(t, 2, time.Now().Add(2*time.Minute), "1 of 2 have approved")
	c.decides(t, 3, soon(), "2 of 3 have approved")
	c.says(t, "carol", rejects)
	c.decides(t, 1, soon(), "Deny: carol rejected it at ")
	c.decides(t, 1, soon(), ": not [31m now")
}

// Neither what is written onto a Case nor what a machine says is anybody's approval.
func TestL18AnAnnotationIsNoApproval(t *testing.T) {
	c := newCourt(t)
	about := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: disputed,
		Annotations: map[string]string{"moorgate.dev/approved": "true", "moorgate.dev/approver": "alice"}, Labels: map[string]string{"moorgate.dev/approved": "true"}},
		Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: "remediate", Reason: "BackOff", Key: "k", FirstSeen: metav1.Now()}, Subject: v1alpha1.Subject{Kind: "Pod", Name: "web-1"}}}
	if err := c.admin.Create(t.Context(), about); err != nil {
		t.Fatal(err)
	}
	c.decides(t, 1, soon(), "0 of 1 have approved")
	const pipeline = "system:serviceaccount:ci:pipeline"
	here, listed := v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(c.namespace)}}, v1alpha1.ApprovalTerms{ServiceAccounts: []string{pipeline}}
	first := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "court-first"}, Spec: v1alpha1.GuardrailSpec{NamespaceSelector: here, Approval: listed}}
	if err := c.admin.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.admin.Delete(context.WithoutCancel(t.Context()), first) })
	word := c.word(pipeline)
	anAccount(word)
	ci := c.as(t, pipeline)
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		return ci.Create(ctx, word) == nil, nil
	}); err != nil {
		t.Fatal("a ServiceAccount that every Guardrail lists could not approve")
	}
	c.decides(t, 1, soon(), "Allow")
	second := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "court-second"}, Spec: v1alpha1.GuardrailSpec{NamespaceSelector: here}}
	if err := c.admin.Create(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	c.decides(t, 1, soon(), "does not count: the Guardrail court-second does not list it")
	if err := errors.Join(c.admin.Delete(t.Context(), first), c.admin.Delete(t.Context(), second)); err != nil {
		t.Fatal(err)
	}
	c.decides(t, 1, soon(), "does not count: no Guardrail applies that lists it")
}

// The identities of judge and act can do what is asked of them here with the rights that the chart gives them.
func TestApprovalsWithTheRightsOfTheChart(t *testing.T) {
	c := newCourt(t)
	c.says(t, "alice")
	for _, account := range []string{"moorgate-judge", "moorgate-act"} {
		config, err := testcluster.Shared(t).ServiceAccount(t.Context(), "moorgate-system", account)
		if err != nil {
			t.Fatal(err)
		}
		own := c
		own.approvals.Reader, own.approvals.Writer = clientOf(t, config), clientOf(t, config)
		own.decides(t, 1, soon(), "Allow")
		refused, err := own.approvals.Use(t.Context(), c.namespace, own.given(t), "r-"+account)
		switch {
		case account == "moorgate-act" && (err != nil || refused != nil):
			t.Errorf("act could not use it: %+v, %v", refused, err)
		case account == "moorgate-judge" && !apierrors.IsForbidden(err):
			t.Errorf("judge could use it: %+v, %v", refused, err)
		}
	}
	c.decides(t, 1, soon(), "1 was used before")
}

func TestApprovalsAreBounded(t *testing.T) {
	c := newCourt(t)
	alice := c.as(t, "alice")
	var all sync.WaitGroup
	for range 8 { // more than a page of another Case, in front of what is asked for and after it
		all.Go(func() {
			for range 65 {
				other := c.word("alice")
				other.Spec.Case = "another"
				if err := alice.Create(t.Context(), other); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, name := range []string{"0-first", "zz-last"} {
		c.says(t, "alice", func(a *v1alpha1.Approval) { a.GenerateName, a.Name = "", name })
	}
	if given := c.given(t); len(given) != 2 {
		t.Errorf("among 522 Approvals of the namespace %d of the Case were found, not 2", len(given))
	}
	for range 63 {
		if err := alice.Create(t.Context(), c.word("alice")); err != nil {
			t.Fatal(err)
		}
	}
	if fact := c.approvals.For(t.Context(), c.namespace, disputed); !strings.Contains(fact.Why(), "65 Approvals") {
		t.Errorf("got %+v", fact)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if fact := c.approvals.For(ended, c.namespace, "other"); !strings.Contains(fact.Why(), "list the Approvals") {
		t.Errorf("got %+v", fact)
	}
}
