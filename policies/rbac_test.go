package policies

import (
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
)

const look = "get list watch"

// reads are what webhook and judge may both look at.
var reads = map[string]string{
	"/namespaces": look, "/nodes": look, "/pods": look, "/configmaps": look, "/serviceaccounts": look, "/persistentvolumeclaims": look,
	"/resourcequotas": look, "/limitranges": look, "apps/deployments": look, "apps/statefulsets": look, "apps/daemonsets": look,
	"apps/replicasets": look, "apps/controllerrevisions": look, "autoscaling/horizontalpodautoscalers": look,
	"policy/poddisruptionbudgets": look, "storage.k8s.io/storageclasses": look, "moorgate.dev/guardrails": look,
	"/persistentvolumes": look, "/services": look, "discovery.k8s.io/endpointslices": look, "networking.k8s.io/ingresses": look,
	"batch/jobs": look, "batch/cronjobs": look,
	// Where the cluster offers them.
	"gateway.networking.k8s.io/httproutes": look, "autoscaling.k8s.io/verticalpodautoscalers": look, "cert-manager.io/certificates": look,
	"kustomize.toolkit.fluxcd.io/kustomizations": look, "helm.toolkit.fluxcd.io/helmreleases": look,
	"source.toolkit.fluxcd.io/gitrepositories": look, "source.toolkit.fluxcd.io/ocirepositories": look, "source.toolkit.fluxcd.io/buckets": look,
	"source.toolkit.fluxcd.io/helmrepositories": look, "source.toolkit.fluxcd.io/helmcharts": look, "argoproj.io/rollouts": look, "argoproj.io/applications": look,
}

// fences are what judge and act may look at to see whether somebody vouches for an Approval, and callers what they may ask about
// who calls.
var (
	fences = map[string]string{
		"admissionregistration.k8s.io/validatingadmissionpolicies=moorgate-approvals":                "get",
		"admissionregistration.k8s.io/validatingadmissionpolicies=moorgate-approvals-accounts":       "get",
		"admissionregistration.k8s.io/validatingadmissionpolicies=moorgate-ledger":                   "get",
		"admissionregistration.k8s.io/validatingadmissionpolicybindings=moorgate-approvals":          "get",
		"admissionregistration.k8s.io/validatingadmissionpolicybindings=moorgate-approvals-accounts": "get",
		"admissionregistration.k8s.io/validatingadmissionpolicybindings=moorgate-ledger":             "get",
	}
	callers = map[string]string{"authentication.k8s.io/tokenreviews": "create", "authorization.k8s.io/subjectaccessreviews": "create"}
)

// rightsList is every right that may be granted: role, then resource, or resource=name where the grant is bound to a name.
var rightsList = map[string]map[string]string{
	"ClusterRole/moorgate-webhook": merge(reads, map[string]string{
		"networking.k8s.io/networkpolicies": look, "moorgate.dev/gitsources": look, // what people change there
		"moorgate.dev/cases": look + " create", "moorgate.dev/cases/status": "update patch", // of its own face; fenced
		"/secrets": "create", // dry runs; fenced
		"admissionregistration.k8s.io/validatingwebhookconfigurations=moorgate": "get update patch", // its content is fenced
		"/v1/records": "post", // a URL of the judge's
	}),
	"Role/moorgate-webhook": {"/secrets=moorgate-webhook-certificate": "get update patch", "coordination.k8s.io/leases=moorgate-advice": "get"},
	"ClusterRole/moorgate-judge": merge(reads, map[string]string{
		"moorgate.dev/cases": look + " create delete", "moorgate.dev/cases/status": "update patch",
		"moorgate.dev/gitsources": look, "moorgate.dev/gitsources/status": "update patch", "moorgate.dev/approvals": look,
		"moorgate.dev/guardrails/status": "update patch",
		"cert-manager.io/issuers":        "get list", "cert-manager.io/clusterissuers": "get list", "cert-manager.io/certificaterequests": "get list", // why a certificate is not issued
		"acme.cert-manager.io/orders": "get list",
		"/pods/log":                   "get",
		"/events":                     "list watch create patch", "events.k8s.io/events": "create patch",
		"storage.k8s.io/volumeattachments": look,                                                                                      // where a volume is that keeps a pod from beginning
		"apps/deployments":                 look + " patch", "apps/statefulsets": look + " patch", "apps/daemonsets": look + " patch", // marks, dry runs; fenced
		"batch/cronjobs": look + " patch", "/services": look + " patch", "/configmaps": look + " patch", // dry runs; fenced
		"networking.k8s.io/ingresses": look + " patch", "networking.k8s.io/networkpolicies": look + " patch",
		"autoscaling/horizontalpodautoscalers": look + " patch", "policy/poddisruptionbudgets": look + " patch",
		"/secrets":                        "create", // dry runs; fenced
		"rbac.authorization.k8s.io/roles": look, "rbac.authorization.k8s.io/rolebindings": look,
		"metrics.k8s.io/pods": "get",
		"admissionregistration.k8s.io/validatingwebhookconfigurations=moorgate": "get",
	}, fences, callers),
	"Role/moorgate-judge": {"coordination.k8s.io/leases": "create", "coordination.k8s.io/leases=moorgate-judge": "get update patch", "coordination.k8s.io/leases=moorgate-advice": "get update patch",
		"/configmaps=moorgate-ledger": "get", "/configmaps=moorgate-audit-anchors": "get update"},
	"ClusterRole/moorgate-act": merge(map[string]string{
		"/namespaces": look, "/pods": look, "apps/deployments": look, "apps/statefulsets": look, "apps/daemonsets": look,
		"apps/replicasets": look, "apps/controllerrevisions": look, "batch/jobs": "get", "batch/cronjobs": "get", "metrics.k8s.io/pods": "get",
		"/services": "get", "networking.k8s.io/ingresses": "get", "autoscaling/horizontalpodautoscalers": "get", "policy/poddisruptionbudgets": "get",
		"autoscaling.k8s.io/verticalpodautoscalers":  "list",
		"kustomize.toolkit.fluxcd.io/kustomizations": "get list", "helm.toolkit.fluxcd.io/helmreleases": "get list", "source.toolkit.fluxcd.io/gitrepositories": "get list", "argoproj.io/applications": "get list",
		"moorgate.dev/guardrails": look, "moorgate.dev/gitsources": look,
		"moorgate.dev/cases": look, "moorgate.dev/cases/status": "update patch",
		"moorgate.dev/approvals": look, "moorgate.dev/approvals/status": "update patch",
		"/events": "create patch", "events.k8s.io/events": "create patch",
	}, fences, callers),
	"Role/moorgate-act": {"coordination.k8s.io/leases": "create", "coordination.k8s.io/leases=moorgate-act": "get update patch",
		"/configmaps=moorgate-ledger": "get update", "/configmaps=moorgate-audit-anchors": "get update"},

	// Bound to nobody here.
	"ClusterRole/moorgate-act-evict":     {"/pods/eviction": "create"},
	"ClusterRole/moorgate-act-roll-back": {"apps/deployments": "patch"},
	"ClusterRole/moorgate-act-hold": {"apps/deployments": "patch", "apps/statefulsets": "patch", "apps/daemonsets": "patch", "batch/cronjobs": "patch", // fenced
		"/services": "patch", "networking.k8s.io/ingresses": "patch", "autoscaling/horizontalpodautoscalers": "patch", "policy/poddisruptionbudgets": "patch"},
	"ClusterRole/moorgate-approver":     {"moorgate.dev/cases": "get list approve", "moorgate.dev/approvals": "get list create"},
	"ClusterRole/moorgate-audit-reader": {"/v1/audit": "get"},   // a URL
	"ClusterRole/moorgate-alerts":       {"/v1/alerts": "post"}, // a URL
	"ClusterRole/moorgate-readiness":    {"moorgate.dev/cases": "get list"},
	"ClusterRole/moorgate-disarm":       {"admissionregistration.k8s.io/validatingwebhookconfigurations=moorgate": "get patch"},
	"ClusterRole/moorgate-break-glass":  {"moorgate.dev/guardrails": "bypass"},
}

// unbound are the roles that whoever runs the cluster binds, to whom and where they want.
var unbound = []string{"ClusterRole/moorgate-act-evict", "ClusterRole/moorgate-act-roll-back", "ClusterRole/moorgate-act-hold", "ClusterRole/moorgate-approver", "ClusterRole/moorgate-audit-reader", "ClusterRole/moorgate-alerts",
	"ClusterRole/moorgate-readiness", "ClusterRole/moorgate-disarm", "ClusterRole/moorgate-break-glass"}

func merge[V any](base map[string]V, more ...map[string]V) map[string]V {
	all := maps.Clone(base)
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}

// An operator elsewhere held create, patch and delete on */*. What ours hold is exactly the list above.
func TestL06EveryRightIsOnTheList(t *testing.T) {
	granted := map[string]map[string]string{}
	for name, rules := range roles(t) {
		granted[name] = map[string]string{}
		for _, rule := range rules {
			for _, w := range wildcards(rule) {
				t.Errorf("%s: %s", name, w)
			}
			for resource, verbs := range flatten(rule) {
				granted[name][resource] = strings.TrimSpace(granted[name][resource] + " " + verbs)
			}
		}
	}
	for _, role := range slices.Sorted(maps.Keys(merge(granted, rightsList))) {
		for _, resource := range slices.Sorted(maps.Keys(merge(granted[role], rightsList[role]))) {
			got, want := sorted(granted[role][resource]), sorted(rightsList[role][resource])
			if got != want {
				t.Errorf("%s on %s: granted [%s], the list says [%s]", role, resource, got, want)
			}
		}
	}
}

func TestL06NoRoleReadsSecrets(t *testing.T) {
	for name, rules := range roles(t) {
		for _, rule := range rules {
			reads := slices.ContainsFunc(rule.Verbs, func(v string) bool { return strings.Contains(look, v) })
			if slices.Contains(rule.Resources, "secrets") && reads && len(rule.ResourceNames) == 0 {
				t.Errorf("%s may %v every Secret", name, rule.Verbs)
			}
		}
	}
}

// Every binding binds one of the three ServiceAccounts to the role of its own name, and no other role goes unbound than those on
// the list: what acts, approves or reads the audit log is given by whoever runs the cluster.
func TestL06BindingsBindEachRoleToItsOwnServiceAccount(t *testing.T) {
	bound := map[string]bool{}
	for _, u := range manifests(t) {
		if u.GetKind() != "ClusterRoleBinding" && u.GetKind() != "RoleBinding" {
			continue
		}
		var b rbacv1.ClusterRoleBinding // the same fields as a RoleBinding
		into(t, u, &b)
		want := rbacv1.Subject{Kind: "ServiceAccount", Namespace: "moorgate-system", Name: b.RoleRef.Name}
		if len(b.Subjects) != 1 || b.Subjects[0] != want || b.Name != b.RoleRef.Name {
			t.Errorf("%s %s binds %s to %v", u.GetKind(), b.Name, b.RoleRef.Name, b.Subjects)
		}
		bound[b.RoleRef.Kind+"/"+b.RoleRef.Name] = true
	}
	for name := range roles(t) {
		if bound[name] == slices.Contains(unbound, name) {
			t.Errorf("%s is bound: %t", name, bound[name])
		}
	}
}

func roles(t *testing.T) map[string][]rbacv1.PolicyRule {
	t.Helper()
	found := map[string][]rbacv1.PolicyRule{}
	for _, u := range manifests(t) {
		if u.GetKind() != "ClusterRole" && u.GetKind() != "Role" {
			continue
		}
		var role rbacv1.ClusterRole // has every field of a Role
		into(t, u, &role)
		if role.AggregationRule != nil {
			t.Errorf("%s takes in the rules of others", role.Name)
		}
		if u.GetKind() == "Role" && u.GetNamespace() != "moorgate-system" {
			t.Errorf("Role %s is in namespace %q", role.Name, u.GetNamespace())
		}
		found[u.GetKind()+"/"+role.Name] = role.Rules
	}
	return found
}

func wildcards(rule rbacv1.PolicyRule) []string {
	var found []string
	for what, words := range map[string][]string{"apiGroups": rule.APIGroups, "resources": rule.Resources, "verbs": rule.Verbs,
		"resourceNames": rule.ResourceNames, "nonResourceURLs": rule.NonResourceURLs} {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "*") }) {
			found = append(found, "a wildcard in "+what)
		}
	}
	return found
}

func flatten(rule rbacv1.PolicyRule) map[string]string {
	flat := map[string]string{}
	for _, url := range rule.NonResourceURLs {
		flat[url] = strings.Join(rule.Verbs, " ")
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			if len(rule.ResourceNames) == 0 {
				flat[group+"/"+resource] = strings.Join(rule.Verbs, " ")
			}
			for _, name := range rule.ResourceNames {
				flat[group+"/"+resource+"="+name] = strings.Join(rule.Verbs, " ")
			}
		}
	}
	return flat
}

func sorted(verbs string) string {
	words := strings.Fields(verbs)
	slices.Sort(words)
	return strings.Join(words, " ")
}

func manifests(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	objects, err := cluster.Manifests(charts.Files)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func into(t *testing.T, u *unstructured.Unstructured, typed any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed); err != nil {
		t.Fatalf("read %s %s: %v", u.GetKind(), u.GetName(), err)
	}
}
