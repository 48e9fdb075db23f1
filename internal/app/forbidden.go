package app

import "strings"

// grant is a resource with verbs on it.
type grant struct{ resource, verbs string }

const (
	writes   = "create update patch delete deletecollection"
	butPatch = "create update delete deletecollection" // the judge tries patches in dry runs, and its fence refuses it others
	anywhere = "create get"                            // of what is asked for by either
)

// neverCluster is what none of Moorgate's identities may be able to do, of what belongs to the whole cluster.
var neverCluster = []grant{
	{"/namespaces", writes},
	{"/nodes", writes}, {"/nodes/proxy", anywhere},
	{"/persistentvolumes", "delete deletecollection"},
	{"/users", "impersonate"}, {"/groups", "impersonate"},
	{"authentication.k8s.io/users", "impersonate:user-info"}, {"authentication.k8s.io/nodes", "impersonate:arbitrary-node"},
	{"rbac.authorization.k8s.io/clusterroles", writes + " bind escalate"},
	{"rbac.authorization.k8s.io/clusterrolebindings", writes},
	{"admissionregistration.k8s.io/validatingwebhookconfigurations", writes},
	{"admissionregistration.k8s.io/mutatingwebhookconfigurations", writes},
	{"admissionregistration.k8s.io/mutatingadmissionpolicies", writes},
	{"admissionregistration.k8s.io/validatingadmissionpolicies", writes}, // no fence looks at fences
	{"admissionregistration.k8s.io/validatingadmissionpolicybindings", writes},
	{"apiextensions.k8s.io/customresourcedefinitions", writes},
	{"apiregistration.k8s.io/apiservices", writes},
	{"certificates.k8s.io/certificatesigningrequests/approval", "update patch"},
	{"moorgate.dev/guardrails", writes + " bypass reset"},
}

// neverNamespaced is what none of them may be able to do, of what belongs to a namespace.
var neverNamespaced = []grant{
	{"/pods", writes}, {"/pods/exec", anywhere}, {"/pods/attach", anywhere}, {"/pods/portforward", anywhere}, {"/pods/proxy", anywhere},
	{"/pods/ephemeralcontainers", "update patch"}, {"/pods/binding", "create"},
	{"/services", butPatch}, {"/services/proxy", anywhere},
	{"/secrets", "get list watch update patch delete deletecollection"},
	{"/configmaps", butPatch},
	{"/serviceaccounts", writes + " impersonate"}, {"/serviceaccounts/token", "create"},
	{"authentication.k8s.io/serviceaccounts", "impersonate:serviceaccount"},
	{"/persistentvolumeclaims", writes},
	{"apps/deployments", butPatch}, {"apps/statefulsets", butPatch}, {"apps/daemonsets", butPatch}, {"apps/replicasets", writes},
	{"apps/deployments/scale", "update patch"}, {"apps/statefulsets/scale", "update patch"},
	{"batch/jobs", writes}, {"batch/cronjobs", butPatch},
	{"networking.k8s.io/ingresses", butPatch}, {"networking.k8s.io/networkpolicies", butPatch},
	{"autoscaling/horizontalpodautoscalers", butPatch}, {"policy/poddisruptionbudgets", butPatch},
	{"rbac.authorization.k8s.io/roles", writes + " bind escalate"},
	{"rbac.authorization.k8s.io/rolebindings", writes},
	{"moorgate.dev/cases", "update patch approve"},
	{"moorgate.dev/approvals", writes},
	{"moorgate.dev/gitsources", writes},
}

// The rest is forbidden to one identity because another needs it. Evicting is for moorgate-act in the namespaces where it was
// enabled, and in no others: a right to it in the whole cluster is as forbidden as one in Moorgate's own namespace.
var (
	patches = []grant{{"apps/deployments", "patch"}, {"apps/statefulsets", "patch"}, {"apps/daemonsets", "patch"}, {"batch/cronjobs", "patch"},
		{"/services", "patch"}, {"/configmaps", "patch"}, {"networking.k8s.io/ingresses", "patch"}, {"networking.k8s.io/networkpolicies", "patch"},
		{"autoscaling/horizontalpodautoscalers", "patch"}, {"policy/poddisruptionbudgets", "patch"}}

	neverWebhook = append([]grant{{"/pods/eviction", "create"}, {"moorgate.dev/cases", "delete deletecollection"},
		{"moorgate.dev/approvals/status", "update patch"}}, patches...)
	neverJudge = []grant{{"/pods/eviction", "create"}, {"moorgate.dev/approvals/status", "update patch"}}
	neverAct   = append([]grant{{"/pods/eviction", "create"}, {"/secrets", "create"}, {"moorgate.dev/cases", "create delete deletecollection"},
		{"moorgate.dev/guardrails/status", "update patch"}}, patches...)
)

// forbidden are the rights that an identity is asked about when it starts.
func forbidden(own []grant) []right {
	all := append([]right{{verb: "*", resource: "*/*"}}, rightsOf(neverCluster, "")...)
	for _, namespace := range []string{"", ownNamespace} {
		all = append(all, rightsOf(neverNamespaced, namespace)...)
		all = append(all, rightsOf(own, namespace)...)
	}
	return all
}

func rightsOf(grants []grant, namespace string) []right {
	var all []right
	for _, g := range grants {
		for verb := range strings.FieldsSeq(g.verbs) {
			all = append(all, right{verb: verb, resource: g.resource, namespace: namespace})
		}
	}
	return all
}
