package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// troubled is a cluster in which actions made things worse in a namespace, and somebody's kubeconfig who may do nothing.
func troubled(t *testing.T) (kube kubernetes.Interface, admin, nobody string) {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	anew(t, kube)
	l, err := cluster.NewLedger(c.Config(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	budget := gate.Budget{Actions: 10, Window: time.Hour}
	p := gate.Policy{Rails: []gate.Rail{{Name: "trouble", Restraint: gate.Restraint{Attempts: 9}, Budgets: gate.Budgets{Total: budget, Namespace: budget, Workload: budget}}}}
	for _, name := range []string{"web-1", "web-2\x1b[31m"} {
		a := gate.Action{Verb: "evict", Target: gate.Ref{Kind: "Pod", Namespace: "shop", Name: name}, Workload: gate.Ref{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}}
		id, refused, err := l.Reserve(t.Context(), p, gate.NewSpent(p, a, "crash-loop"))
		if err != nil || refused != nil {
			t.Fatalf("refused %v, %v", refused, err)
		}
		if err := l.Settle(t.Context(), id, gate.ResultWorsened); err != nil {
			t.Fatal(err)
		}
	}
	nobody, err = c.ServiceAccountKubeconfig(t.Context(), c.Namespace(t, nil), "nobody")
	if err != nil {
		t.Fatal(err)
	}
	return kube, c.Kubeconfig(), nobody
}

// anew makes an empty ledger.
func anew(t *testing.T, kube kubernetes.Interface) {
	t.Helper()
	maps := kube.CoreV1().ConfigMaps(cluster.LedgerNamespace)
	if err := maps.Delete(t.Context(), cluster.LedgerName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: cluster.LedgerName}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestBreakersOnTheCommandLine(t *testing.T) {
	kube, admin, nobody := troubled(t)
	says := func(code int, wants string, args ...string) func(t *testing.T) {
		return func(t *testing.T) {
			t.Helper()
			got, out, errs := run(args...)
			if got != code || !strings.Contains(out+errs, wants) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", got, code, wants, out, errs)
			}
			if strings.Contains(out+errs, "\x1b") {
				t.Errorf("control characters reach the terminal: %q", out+errs)
			}
		}
	}
	t.Run("list prints what is open", says(0, "namespace shop", "breaker", "list", "--kubeconfig", admin))
	t.Run("list prints it for programs", func(t *testing.T) {
		_, out, _ := run("breaker", "list", "-o", "json", "--kubeconfig", admin)
		var open []gate.Breaker
		if err := json.Unmarshal([]byte(out), &open); err != nil || len(open) != 1 || open[0].Namespace != "shop" {
			t.Errorf("got %v (%v) from %s", open, err, out)
		}
	})
	t.Run("the ledger says what came of it", says(0, "worsened", "ledger", "--kubeconfig", admin))
	t.Run("the ledger says how often it healed", says(0, "0 of 2", "ledger", "--kubeconfig", admin))
	t.Run("nobody may look without the right to", says(3, "you may not; it needs get on the ConfigMap moorgate-system/moorgate-ledger", "breaker", "list", "--kubeconfig", nobody))
	t.Run("reset asks for a reason", says(3, `required flag(s) "reason"`, "breaker", "reset", "--all", "--kubeconfig", admin))
	t.Run("reset does not take an empty one", says(3, "--reason is empty", "breaker", "reset", "--all", "--reason", " ", "--kubeconfig", admin))
	t.Run("reset asks which", says(3, "which breaker", "breaker", "reset", "--reason", "x", "--kubeconfig", admin))
	t.Run("reset does not take both", says(3, "which breaker", "breaker", "reset", "--all", "-n", "shop", "--reason", "x", "--kubeconfig", admin))
	t.Run("reset says what is open instead", says(3, "the breaker of namespace bank is not open; open are those of: namespace shop", "breaker", "reset", "-n", "bank", "--reason", "x", "--kubeconfig", admin))
	t.Run("reset needs the right to write", says(3, "needs get and update", "breaker", "reset", "-n", "shop", "--reason", "x", "--kubeconfig", writer(t, kube, admin, false)))
	t.Run("reset needs the verb", says(3, "verb reset on guardrails", "breaker", "reset", "-n", "shop", "--reason", "x", "--kubeconfig", writer(t, kube, admin, true)))
	t.Run("reset closes one", says(0, "closed the breaker of namespace shop", "breaker", "reset", "-n", "shop", "--reason", "1.4.3 was broken", "--kubeconfig", admin))
	t.Run("and then none is open", says(0, "no breaker is open", "breaker", "list", "--kubeconfig", admin))
	t.Run("and what was looked at is marked", says(0, "worsened (looked at)", "ledger", "--kubeconfig", admin))
	t.Run("reset says that none is open", says(3, "no breaker is open", "breaker", "reset", "--all", "--reason", "x", "--kubeconfig", admin))
	if err := kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Delete(t.Context(), cluster.LedgerName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Run("without a ledger it says what to do", says(3, "run moorgate install", "ledger", "--kubeconfig", admin))
	t.Run("as does reset", says(3, "run moorgate install", "breaker", "reset", "--all", "--reason", "x", "--kubeconfig", admin))
	if _, err := kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: cluster.LedgerName}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Run("an empty one says so", says(0, "nothing was reserved", "ledger", "--kubeconfig", admin))
}

// writer is the kubeconfig of a human who may get, and perhaps update, the ledger, and holds no verb on guardrails.
func writer(t *testing.T, kube kubernetes.Interface, admin string, update bool) string {
	t.Helper()
	name, verbs := "reader-of-the-ledger", []string{"get"}
	if update {
		name, verbs = "writer-of-the-ledger", []string{"get", "update"}
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs}}}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}}}
	if _, err := kube.RbacV1().Roles(cluster.LedgerNamespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := kube.RbacV1().RoleBindings(cluster.LedgerNamespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	asks := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: name, ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: cluster.LedgerNamespace, Verb: verbs[len(verbs)-1], Resource: "configmaps", Name: cluster.LedgerName}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		answer, err := kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, asks, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	}); err != nil {
		t.Fatalf("wait for the rights of %s: %v", name, err)
	}
	config, err := clientcmd.LoadFromFile(admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate, user.ImpersonateGroups = name, []string{"system:authenticated"}
	}
	return writeConfig(t, config)
}

func writeConfig(t *testing.T, config *clientcmdapi.Config) string {
	t.Helper()
	content, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
