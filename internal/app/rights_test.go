package app

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

var identities = map[string][]grant{webhookIdentity: neverWebhook, judgeIdentity: neverJudge, actIdentity: neverAct}

// An operator elsewhere held every right there is, and nobody noticed. Ours ask what they may do, and do not start with too much.
func TestL06AnOverPrivilegedActorRefusesToStart(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	admin, err := client.New(c.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for account, own := range identities {
		t.Run(account+" has no more than it should with the rights of the chart", func(t *testing.T) {
			if found := may(t, c, account, own); len(found) > 0 {
				t.Errorf("it may %s", tellExcess(found))
			}
		})
	}
	for _, tt := range []struct {
		name, account string
		namespace     string // of a RoleBinding; empty: a ClusterRoleBinding
		rule          rbacv1.PolicyRule
		says          string
	}{
		{"everything", actIdentity, "", rule("*", "*", "*"), "* everything"},
		{"deleting pods", actIdentity, "", rule("", "pods", "delete"), "delete pods"},
		{"evicting in the whole cluster", actIdentity, "", rule("", "pods/eviction", "create"), "create pods/eviction"},
		{"running commands beside it", actIdentity, ownNamespace, rule("", "pods/exec", "create"), "create pods/exec in " + ownNamespace},
		{"its own rollouts", actIdentity, ownNamespace, rule("apps", "deployments", "patch"), "patch deployments of apps in " + ownNamespace},
		{"approving", actIdentity, "", rule("moorgate.dev", "cases", "approve"), "approve cases of moorgate.dev"},
		{"saying who approved", judgeIdentity, "", rule("moorgate.dev", "approvals", "create"), "create approvals of moorgate.dev"},
		{"using approvals", judgeIdentity, "", rule("moorgate.dev", "approvals/status", "patch"), "patch approvals/status of moorgate.dev"},
		{"reading secrets", judgeIdentity, ownNamespace, rule("", "secrets", "get"), "get secrets in " + ownNamespace},
		{"being somebody else", judgeIdentity, "", rule("", "users", "impersonate"), "impersonate users"},
		{"giving rights", webhookIdentity, "", rule("rbac.authorization.k8s.io", "clusterroles", "escalate"), "escalate clusterroles"},
		{"taking tokens", webhookIdentity, ownNamespace, rule("", "serviceaccounts/token", "create"), "create serviceaccounts/token in " + ownNamespace},
		{"opening its fence", webhookIdentity, "", rule("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "delete"), "delete validatingadmissionpolicybindings"},
		{"changing settings", actIdentity, "", rule("", "configmaps", "patch"), "patch configmaps"},
		{"changing who may reach whom", webhookIdentity, "", rule("networking.k8s.io", "networkpolicies", "patch"), "patch networkpolicies"},
		{"replacing settings", judgeIdentity, "", rule("", "configmaps", "update"), "update configmaps"},
		{"deleting services", judgeIdentity, "", rule("", "services", "delete"), "delete services"},
		{"patching accounts", judgeIdentity, "", rule("", "serviceaccounts", "patch"), "patch serviceaccounts"},
		{"marking rollouts", webhookIdentity, "", rule("apps", "deployments", "patch"), "patch deployments of apps"},
	} {
		t.Run(tt.account+" does not start with the right to "+tt.name, func(t *testing.T) {
			binding := give(t, admin, tt.account, tt.namespace, tt.rule)
			said := ""
			eventually(t, "the authorizer knows the binding", func() bool {
				found := may(t, c, tt.account, identities[tt.account])
				said = tellExcess(found)
				return len(found) > 0
			})
			if !strings.Contains(said, tt.says) || !strings.Contains(said, `"`+binding) {
				t.Errorf("it says: %s\nwant %q and the binding %s", said, tt.says, binding)
			}
		})
	}
	t.Run("the process ends and says why, unless it is told to go on", func(t *testing.T) {
		give(t, admin, actIdentity, "", rule("", "pods", "delete"))
		eventually(t, "the authorizer knows the binding", func() bool { return len(may(t, c, actIdentity, neverAct)) > 0 })
		kubeconfig, err := c.ServiceAccountKubeconfig(t.Context(), ownNamespace, actIdentity)
		if err != nil {
			t.Fatal(err)
		}
		code, _, errs := run("act", "--kubeconfig", kubeconfig, "--audit-dir", filepath.Join(t.TempDir(), "audit"), "--health", "", "--audit-listen", "")
		if code != exitFailed || !strings.Contains(errs, "delete pods") || !strings.Contains(errs, "--allow-over-privileged") {
			t.Errorf("exit code %d: %s", code, errs)
		}
		config, err := c.ServiceAccount(t.Context(), ownNamespace, actIdentity)
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		p := &process{options: options{allowExcess: true}, logger: (&options{}).logger(&said)}
		if err := p.refuseExcess(t.Context(), actPart(options{}, ""), config); err != nil || !strings.Contains(said.String(), "delete pods") {
			t.Errorf("told to go on: %v, and it says: %s", err, said.String())
		}
	})
	t.Run("what could not be asked is not taken for absent", func(t *testing.T) {
		config := c.Config()
		config.Host = "https://127.0.0.1:1"
		if found, err := excess(t.Context(), config, forbidden(neverAct)); err == nil {
			t.Errorf("found %v", found)
		}
	})
}

func may(t *testing.T, c *testcluster.Cluster, account string, own []grant) []held {
	t.Helper()
	config, err := c.ServiceAccount(t.Context(), ownNamespace, account)
	if err != nil {
		t.Fatal(err)
	}
	found, err := excess(t.Context(), cluster.Guarded(config, cluster.OwnOfWebhook()), forbidden(own))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func rule(group, resource, verb string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{verb}}
}

// give binds a rule to an account until the test ends, and returns the name of the binding.
func give(t *testing.T, admin client.Client, account, namespace string, rule rbacv1.PolicyRule) string {
	t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-too-much-"}, Rules: []rbacv1.PolicyRule{rule}}
	create := func(obj client.Object) {
		if err := admin.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := admin.Delete(context.WithoutCancel(t.Context()), obj); err != nil {
				t.Error(err)
			}
		})
	}
	create(role)
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ownNamespace, Name: account}}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
	if namespace == "" {
		create(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role.Name}, RoleRef: ref, Subjects: subjects})
	} else {
		create(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name}, RoleRef: ref, Subjects: subjects})
	}
	return role.Name
}
