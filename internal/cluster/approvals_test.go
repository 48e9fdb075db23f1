package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
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

func TestApprovalsAreBounded(t *testing.T) {
	c := newCourt(t)
	alice := c.as(t, "alice")
	for range 65 {
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

func TestUse(t *testing.T) {
	c := newCourt(t)
	use := func(t *testing.T, given []gate.Approval, reservation, want string) {
		t.Helper()
		refused, err := c.approvals.Use(t.Context(), c.namespace, given, reservation)
		switch {
		case err != nil:
			t.Errorf("could not say: %v", err)
		case want == "" && refused != nil, want != "" && (refused == nil || !strings.Contains(refused.Text, want)):
			t.Errorf("got %+v, want %q", refused, want)
		}
	}
	t.Run("once", func(t *testing.T) {
		c.says(t, "alice")
		given := c.given(t)
		use(t, given, "r-1", "")
		use(t, given, "r-1", "")
		use(t, given, "r-2", "was used before, for r-1")
		c.decides(t, 1, soon(), "0 of 1 have approved plan "+c.evict().PlanDigest()[:19]+"; 1 was used before")
	})
	t.Run("not at all where one of two was used", func(t *testing.T) {
		a, b := c.says(t, "alice"), c.says(t, "bob")
		given := only(c.given(t), a.Name, b.Name)
		use(t, only(given, b.Name), "r-3", "")
		use(t, given, "r-4", "was used before, for r-3")
		use(t, only(given, a.Name), "r-5", "")
	})
	t.Run("not what is gone", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		if err := c.admin.Delete(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		use(t, given, "r-6", "is gone")
	})
	t.Run("not what has expired", func(t *testing.T) {
		a := c.says(t, "alice")
		given, late := only(c.given(t), a.Name), c.approvals
		late.Now = func() time.Time { return time.Now().Add(61 * time.Minute) }
		if refused, err := late.Use(t.Context(), c.namespace, given, "r-7"); err != nil || refused == nil || !strings.Contains(refused.Text, "has expired") {
			t.Errorf("got %+v, %v", refused, err)
		}
	})
	t.Run("not what says something else", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		for name, change := range map[string]func(*gate.Approval){"another approver": func(x *gate.Approval) { x.Approver = "bob" },
			"another plan": func(x *gate.Approval) { x.Plan = "sha256:" + strings.Repeat("0", 64) }, "another time": func(x *gate.Approval) { x.At = x.At.Add(-time.Second) }} {
			other := slices.Clone(given)
			change(&other[0])
			t.Run(name, func(t *testing.T) {
				refused, err := c.approvals.Use(t.Context(), c.namespace, other, "r-8")
				if err != nil || refused == nil {
					t.Errorf("got %+v, %v", refused, err)
				}
			})
		}
	})
	t.Run("by one of many", func(t *testing.T) {
		a, b := c.says(t, "alice"), c.says(t, "bob")
		given := only(c.given(t), a.Name, b.Name)
		var won sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if refused, err := c.approvals.Use(t.Context(), c.namespace, given, fmt.Sprint("many-", i)); err == nil && refused == nil {
					won.Store(i, true)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d processes used the same approvals", n)
		}
	})
	t.Run("though the answer never came", func(t *testing.T) {
		a := c.says(t, "alice")
		deaf := c.approvals
		lost := 0
		deaf.Writer = clientOf(t, losingReplies(c.config, &lost))
		refused, err := deaf.Use(t.Context(), c.namespace, only(c.given(t), a.Name), "r-9")
		if err != nil || refused != nil || lost != 1 {
			t.Errorf("got %+v, %v after %d lost replies", refused, err, lost)
		}
	})
	t.Run("not without a reservation", func(t *testing.T) {
		if _, err := c.approvals.Use(t.Context(), c.namespace, c.given(t), ""); err == nil {
			t.Error("it was used for nothing")
		}
	})
	t.Run("not once somebody has rejected the plan", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		c.says(t, "carol", rejects)
		use(t, given, "r-10", "carol rejected it")
	})
}

func only(given []gate.Approval, names ...string) []gate.Approval {
	return slices.DeleteFunc(slices.Clone(given), func(x gate.Approval) bool { return !slices.Contains(names, x.Name) })
}

// losingReplies sends what writes to the API server and loses every answer.
func losingReplies(config *rest.Config, lost *int) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err != nil || r.Method != http.MethodPatch {
				return answer, err
			}
			*lost++
			return nil, errors.Join(errors.New("the connection was lost"), answer.Body.Close())
		})
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What was approved while a fence did not stand as it is shipped is nobody's word, and stays so when the fence is back.
func TestApprovalsCountOnlyUnderTheFences(t *testing.T) {
	c := newCourt(t)
	c.says(t, "alice")
	c.decides(t, 1, soon(), "Allow")
	t.Run("who repeats the installation changes nothing", func(t *testing.T) {
		if err := cluster.Install(t.Context(), c.config, charts.Files, cluster.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		c.decides(t, 1, soon(), "Allow")
	})
	t.Run("nor do those who know of no fences count them", func(t *testing.T) {
		without := c
		without.approvals.Fences = cluster.Fences{}
		without.decides(t, 1, soon(), "nobody said which fences vouch")
	})
	t.Run("a fence that was opened and put right by hand does not vouch for what came in between", func(t *testing.T) {
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "moorgate-approvals"}}
		if err := errors.Join(merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Ignore"}}`), merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Fail"}}`)); err != nil {
			t.Fatal(err)
		}
		c.decides(t, 1, soon(), "it was given before the fences stood as they do now")
	})
	for _, fence := range []string{"moorgate-approvals", "moorgate-approvals-accounts"} {
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: fence}}
		binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: fence}}
		for name, breach := range map[string]func() error{
			"is only warned by": func() error { return merge(t, c.admin, binding, `{"spec":{"validationActions":["Warn"]}}`) },
			"lets some users by": func() error {
				return merge(t, c.admin, policy, `{"spec":{"matchConditions":[{"name":"x","expression":"false"}]}}`)
			},
			"lets errors by": func() error { return merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Ignore"}}`) },
			"spares a namespace": func() error {
				return merge(t, c.admin, binding, `{"spec":{"matchResources":{"namespaceSelector":{"matchLabels":{"a":"b"}}}}}`)
			},
			"spares by a label": func() error {
				return merge(t, c.admin, policy, `{"spec":{"matchConstraints":{"excludeResourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"resources":["approvals"],"operations":["*"]}]}}}`)
			},
			"is bound no more": func() error { return c.admin.Delete(t.Context(), binding) },
			"is gone":          func() error { return c.admin.Delete(t.Context(), policy) },
		} {
			t.Run(fence+" "+name, func(t *testing.T) {
				if err := breach(); err != nil {
					t.Fatal(err)
				}
				c.decides(t, 1, soon(), "that of alice does not count: the ")
				// What somebody added belongs to them, so that a mere installation leaves it there.
				if err := errors.Join(client.IgnoreNotFound(c.admin.Delete(t.Context(), policy)), client.IgnoreNotFound(c.admin.Delete(t.Context(), binding)),
					cluster.Install(t.Context(), c.config, charts.Files, cluster.InstallOptions{})); err != nil {
					t.Fatal(err)
				}
				c.decides(t, 1, soon(), "it was given before the fences stood as they do now")
			})
		}
	}
	t.Run("and count again once they have stood for a while", func(t *testing.T) {
		c.waitUntilVouchedFor(t)
		c.says(t, "alice")
		c.decides(t, 1, soon(), "Allow")
	})
	t.Run("a rejection counts whatever the fences do", func(t *testing.T) {
		c.says(t, "bob", rejects)
		without := c
		without.approvals.Fences = cluster.Fences{}
		without.decides(t, 1, soon(), "Deny: bob rejected it")
	})
}

func merge(t *testing.T, k client.Client, o client.Object, body string) error {
	return k.Patch(t.Context(), o.DeepCopyObject().(client.Object), client.RawPatch("application/merge-patch+json", []byte(body)))
}
