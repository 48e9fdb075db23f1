package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// approving is a namespace with a Case about which somebody may be asked.
type approving struct {
	cluster   *testcluster.Cluster
	admin     client.Client
	namespace string
}

const (
	askedAbout = "remediate-web-000000000000"
	evictPlan  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

func newApproving(t *testing.T) approving {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	a := approving{cluster: c, namespace: c.Namespace(t, nil)}
	if a.admin, err = client.New(c.Config(), client.Options{Scheme: s}); err != nil {
		t.Fatal(err)
	}
	a.open(t, askedAbout, v1alpha1.CaseStatus{Chosen: []string{"evict"}, Menu: []v1alpha1.Choice{
		{ID: "evict", Verb: "evict", Reach: "live", Text: "evict the pod web-1", Digest: evictPlan},
		{ID: "propose", Verb: "pull-request", Reach: "git", Text: "give it memory\x1b[31m", Digest: "sha256:" + strings.Repeat("2", 64),
			Edits: []v1alpha1.Edit{{Path: "spec.template.spec.containers[name=app].resources.limits[memory]", Old: `"64Mi"`, New: `"128Mi"`}}},
		{ID: "tell", Verb: "escalate", Reach: "nothing", Text: "tell somebody", Digest: "sha256:" + strings.Repeat("3", 64)}},
		Opinion: v1alpha1.Opinion{Decision: "Hold", Reasons: []v1alpha1.Reason{{Rule: "approval", Guardrail: "asks-two", Decision: "Hold", Text: "it waits for approval: 0 of 2 have approved"}}}})
	a.open(t, "remediate-idle-000000000000", v1alpha1.CaseStatus{Opinion: v1alpha1.Opinion{Decision: "Hold"}})
	a.open(t, "remediate-told-000000000000", v1alpha1.CaseStatus{Opinion: v1alpha1.Opinion{Decision: "Hold"}, Chosen: []string{"tell"},
		Menu: []v1alpha1.Choice{{ID: "tell", Verb: "escalate", Reach: "nothing", Digest: evictPlan}}})
	return a
}

func (a approving) open(t *testing.T, name string, status v1alpha1.CaseStatus) {
	t.Helper()
	c := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: name}, Spec: v1alpha1.CaseSpec{
		Signal:  v1alpha1.CaseSignal{Face: "remediate", Reason: "CrashLoopBackOff", Key: name, Text: "the container app keeps failing", FirstSeen: metav1.Now()},
		Subject: v1alpha1.Subject{Group: "apps", Kind: "Deployment", Name: "web"}}}
	if err := a.admin.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.Status = status
	if err := a.admin.Status().Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// kubeconfig is that of somebody, who may approve in the namespace if role says so.
func (a approving) kubeconfig(t *testing.T, user, role string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(a.cluster.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range config.AuthInfos {
		who.Impersonate = user
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	if role == "" {
		return path
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, GenerateName: "test-"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}}
	if err := a.admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	as := rest.CopyConfig(a.cluster.Config())
	as.Impersonate.UserName = user
	k, err := client.New(as, client.Options{Scheme: a.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		asked := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: a.namespace, Group: "moorgate.dev", Resource: "cases", Verb: "get", Name: askedAbout}}}
		return k.Create(ctx, asked) == nil && asked.Status.Allowed, nil
	})
	if err != nil {
		t.Fatalf("wait for the rights of %s: %v", user, err)
	}
	return path
}

func (a approving) approvals(t *testing.T) []v1alpha1.Approval {
	t.Helper()
	var list v1alpha1.ApprovalList
	if err := a.admin.List(t.Context(), &list, client.InNamespace(a.namespace)); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestApproveAndReject(t *testing.T) {
	a := newApproving(t)
	rail := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "asks-two"}, Spec: v1alpha1.GuardrailSpec{Mode: "Approve", Approval: v1alpha1.ApprovalTerms{Approvers: new(int32(2))}}}
	if err := a.admin.Create(t.Context(), rail); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.admin.Delete(context.WithoutCancel(t.Context()), rail) })
	alice, admin := a.kubeconfig(t, "alice", "moorgate-approver"), a.cluster.Kubeconfig()
	says := func(t *testing.T, code int, wants []string, args ...string) string {
		t.Helper()
		got, out, errs := run(args...)
		if got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
		for _, want := range wants {
			if !strings.Contains(out+errs, want) {
				t.Errorf("it does not say %q", want)
			}
		}
		if t.Failed() {
			t.Logf("%s%s", out, errs)
		}
		return out
	}
	t.Run("says what would be done, and approves it", func(t *testing.T) {
		says(t, 0, []string{a.namespace + "/" + askedAbout + "  CrashLoopBackOff: the container app keeps failing", "plan      evict: evict the pod web-1",
			"target    Deployment/web in namespace " + a.namespace + ", live", "digest    " + evictPlan, "held by   it waits for approval: 0 of 2 have approved (rule approval, Guardrail asks-two)",
			"how many must approve is said by Guardrails, which you may not read", "you are   alice", "approved plan sha256:111111111111 of case " + a.namespace + "/" + askedAbout + ", until "},
			"approve", askedAbout, "-n", a.namespace, "--kubeconfig", alice, "--yes", "--ttl", "15m", "--reason", "seen it")
		given := a.approvals(t)
		if len(given) != 1 || given[0].Spec.Approver != "alice" || given[0].Spec.Plan != evictPlan || *given[0].Spec.TTLSeconds != 900 || given[0].Spec.Reason != "seen it" || given[0].Spec.Decision != "Approve" || given[0].OwnerReferences[0].Name != askedAbout {
			t.Errorf("got %+v", given)
		}
	})
	t.Run("tells a second who was first, and how many it takes", func(t *testing.T) {
		says(t, 0, []string{"said      alice approved at ", ": seen it (until ", "needs     2 approvals by different people (Guardrail asks-two); 1 stand"},
			"approve", a.namespace+"/"+askedAbout, "--kubeconfig", admin, "-y")
	})
	t.Run("tells somebody that they have approved it already", func(t *testing.T) {
		says(t, 0, []string{"you have approved it already", "approved plan"}, "approve", askedAbout, "-n", a.namespace, "--kubeconfig", alice, "-y")
	})
	t.Run("rejects, as JSON", func(t *testing.T) {
		out := says(t, 0, nil, "reject", askedAbout, "-n", a.namespace, "--kubeconfig", alice, "--yes", "--action", "propose", "-o", "json", "--reason", "not now")
		var got v1alpha1.Approval
		if err := json.Unmarshal([]byte(out), &got); err != nil || got.Kind != "Approval" || got.Spec.Decision != "Reject" || got.Spec.Approver != "alice" || !strings.HasPrefix(got.Spec.Plan, "sha256:22") {
			t.Errorf("got %v from %s", err, out)
		}
	})
	t.Run("shows the changes, and who rejected them", func(t *testing.T) {
		says(t, 0, []string{`change    spec.template.spec.containers[name=app].resources.limits[memory]: "64Mi" -> "128Mi"`, "alice REJECTED at ", ": not now", "give it memory [31m", "by a pull request"},
			"approve", askedAbout, "-n", a.namespace, "--kubeconfig", admin, "--yes", "--action", "propose")
	})
	before := len(a.approvals(t))
	t.Run("what cannot be", func(t *testing.T) {
		stranger := a.kubeconfig(t, "stranger", "")
		for name, x := range map[string]struct {
			want []string
			args []string
		}{
			"asks for --yes where nobody can be asked": {[]string{"give --yes to approve it"}, []string{askedAbout, "--kubeconfig", alice}},
			"no such Case":                      {[]string{"there is no Case remediate-web-000000000001 in namespace " + a.namespace, "did you mean " + askedAbout, "moorgate cases -A"}, []string{"remediate-web-000000000001", "--kubeconfig", alice}},
			"a Case without an action":          {[]string{"has no action to decide on", "its menu is empty"}, []string{"remediate-idle-000000000000", "--kubeconfig", alice}},
			"an action that changes nothing":    {[]string{"changes nothing in the cluster or in Git"}, []string{"remediate-told-000000000000", "--kubeconfig", alice}},
			"an action that is not on the menu": {[]string{"has no action scale on its menu; on its menu: evict, propose, tell"}, []string{askedAbout, "--action", "scale", "--kubeconfig", alice}},
			"somebody who may not read Cases":   {[]string{"you may not", "kubectl create rolebinding moorgate-approvers -n " + a.namespace + " --clusterrole=moorgate-approver"}, []string{askedAbout, "--kubeconfig", stranger}},
			"too long":                          {[]string{"--ttl 25h0m0s is not between 1m0s and 24h0m0s"}, []string{askedAbout, "--ttl", "25h", "--kubeconfig", alice}},
			"an essay":                          {[]string{"--reason has 300 bytes"}, []string{askedAbout, "--reason", strings.Repeat("x", 300), "--kubeconfig", alice}},
			"an output that does not exist":     {[]string{"xml"}, []string{askedAbout, "-o", "xml", "--kubeconfig", alice}},
			"two namespaces":                    {[]string{"is in namespace other"}, []string{"other/" + askedAbout, "--kubeconfig", alice}},
		} {
			t.Run(name, func(t *testing.T) { says(t, 3, x.want, append([]string{"approve", "-n", a.namespace}, x.args...)...) })
		}
	})
	t.Run("somebody who may only look", func(t *testing.T) {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "looks-at-cases"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"moorgate.dev"}, Resources: []string{"cases"}, Verbs: []string{"get"}}}}
		if err := a.admin.Create(t.Context(), role); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.admin.Delete(context.WithoutCancel(t.Context()), role) })
		says(t, 3, []string{"you are bob@example.com, and may not; it takes the verb approve on cases in namespace " + a.namespace, "--clusterrole=moorgate-approver --user=bob@example.com"},
			"approve", askedAbout, "-n", a.namespace, "--kubeconfig", a.kubeconfig(t, "bob@example.com", "looks-at-cases"), "--yes")
	})
	t.Run("what is no person hears it from the API server", func(t *testing.T) {
		says(t, 3, []string{"the API server refuses it: system:admin is no person"}, "approve", askedAbout, "-n", a.namespace, "--yes", "--kubeconfig", a.kubeconfig(t, "system:admin", "moorgate-approver"))
		ci := "system:serviceaccount:ci:pipeline"
		says(t, 3, []string{"the API server refuses it: " + ci + " may not approve: the Guardrail asks-two applies here and does not list it"}, "approve", askedAbout, "-n", a.namespace, "--yes", "--kubeconfig", a.kubeconfig(t, ci, "moorgate-approver"))
	})
	if after := len(a.approvals(t)); after != before {
		t.Errorf("%d Approvals came of what was refused", after-before)
	}
	t.Run("kubectl create does the same", func(t *testing.T) {
		cmd := a.cluster.Kubectl(t.Context(), "create", "-n", a.namespace, "--as", "alice", "-f", "-")
		cmd.Stdin = strings.NewReader(fmt.Sprintf("apiVersion: moorgate.dev/v1alpha1\nkind: Approval\nmetadata: {generateName: %s-}\nspec: {case: %s, plan: %q, approver: alice, decision: Approve}\n", askedAbout, askedAbout, evictPlan))
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("refused: %s", said)
		}
		if after := len(a.approvals(t)); after != before+1 {
			t.Errorf("%d Approvals came of it", after-before)
		}
	})
}

// Between what was shown and what is approved, the plan may change.
func TestApproveOnlyWhatWasShown(t *testing.T) {
	a := newApproving(t)
	o := approveOptions{decision: v1alpha1.DecisionApprove, kubeconfig: a.cluster.Kubeconfig(), namespace: a.namespace, ttl: time.Hour, output: "text"}
	h, err := newHearing(t.Context(), o, askedAbout)
	if err != nil {
		t.Fatal(err)
	}
	var c v1alpha1.Case
	if err := a.admin.Get(t.Context(), client.ObjectKey{Namespace: a.namespace, Name: askedAbout}, &c); err != nil {
		t.Fatal(err)
	}
	c.Status.Menu[0].Digest = "sha256:" + strings.Repeat("4", 64)
	if err := a.admin.Status().Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if given, err := h.give(t.Context(), o); err == nil || !strings.Contains(err.Error(), "is gone, so nothing was said: it is sha256:444444444444 now") {
		t.Errorf("got %+v, %v", given, err)
	}
	if given := a.approvals(t); len(given) != 0 {
		t.Errorf("got %+v", given)
	}
}

func TestAskTakesYesForAnAnswer(t *testing.T) {
	for answer, yes := range map[string]bool{"y\n": true, "yes\n": true, " YES \r\n": true, "y": true, "n\n": false, "\n": false, "": false, "yep\n": false, "no, yes\n": false} {
		var out strings.Builder
		if err := confirm(t.Context(), strings.NewReader(answer), &out, "Approve"); (err == nil) != yes || !strings.Contains(out.String(), "Approve it? [y/N]") {
			t.Errorf("%q: %v, asked %q", answer, err, out.String())
		}
	}
	silent, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := confirm(gone, silent, io.Discard, "Approve"); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %v", err)
	}
}
