package drift

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/source"
)

// Kind is one line of the table of what is compared. All are namespaced, and a GitSource speaks for the namespace that it is in.
type Kind struct {
	schema.GroupVersionKind
	Resource string // as the API server calls it in a URL
	// replaces is the field whose change has a controller replace pods; none: no pod notices a change by itself.
	replaces string
	// guards: all of the object keeps workloads or rights apart from others, so a change to it is for a person to write.
	guards bool
	// Still: it is compared as it lies, without a dry run, and never written about in a pull request.
	Still bool
	// asked: it is read one by one where somebody asks for that, and never listed or watched.
	asked bool
	// page is how many of them are read at once: some may be large.
	page int64
}

// kinds is data. Which values of an object may be shown is not told by its kind, but by the lists of fields in shown.go, in
// which nothing of a ConfigMap's data stands. For each of these kinds the judge may read and, unless it is compared as it lies, try patches in
// dry runs; its fence refuses it every other; a test holds the table, the rights and the guard of the client together.
var kinds = []Kind{
	{GroupVersionKind: of("apps", "v1", "Deployment"), Resource: "deployments", replaces: "template", page: 250},
	{GroupVersionKind: of("apps", "v1", "StatefulSet"), Resource: "statefulsets", replaces: "template", page: 250},
	{GroupVersionKind: of("apps", "v1", "DaemonSet"), Resource: "daemonsets", replaces: "template", page: 250},
	{GroupVersionKind: of("batch", "v1", "CronJob"), Resource: "cronjobs", page: 250},
	{GroupVersionKind: of("", "v1", "Service"), Resource: "services", page: 500},
	{GroupVersionKind: of("networking.k8s.io", "v1", "Ingress"), Resource: "ingresses", page: 500},
	{GroupVersionKind: of("networking.k8s.io", "v1", "NetworkPolicy"), Resource: "networkpolicies", guards: true, page: 500},
	{GroupVersionKind: of("autoscaling", "v2", "HorizontalPodAutoscaler"), Resource: "horizontalpodautoscalers", page: 500},
	{GroupVersionKind: of("policy", "v1", "PodDisruptionBudget"), Resource: "poddisruptionbudgets", page: 500},
	{GroupVersionKind: of("", "v1", "ConfigMap"), Resource: "configmaps", page: 50},
	{GroupVersionKind: of("rbac.authorization.k8s.io", "v1", "Role"), Resource: "roles", guards: true, Still: true, page: 500},
	{GroupVersionKind: of("rbac.authorization.k8s.io", "v1", "RoleBinding"), Resource: "rolebindings", guards: true, Still: true, page: 500},
	{GroupVersionKind: of("", "v1", "Secret"), Resource: "secrets", Still: true, asked: true},
}

// uncompared are kinds of Kubernetes that are not in the table, and why. Of a kind that stands in neither nothing is known, as of
// what a custom resource says.
var uncompared = map[schema.GroupKind]string{
	{Kind: "Secret"}:                "Secrets are never read, unless that is asked for",
	{Kind: "Pod"}:                   "hardly anything of one can be changed",
	{Kind: "ServiceAccount"}:        "a right to patch it is a right over who somebody is",
	{Group: "batch", Kind: "Job"}:   "it cannot be changed, and goes when it is done",
	{Kind: "PersistentVolumeClaim"}: "hardly anything of one can be changed",
}

func of(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

// Kinds lists what is compared without being asked for.
func Kinds() []Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k Kind) bool { return k.asked })
}

// comparedKinds names what is compared, whatever its version: with what has to be asked for, or without.
func comparedKinds(secrets bool, more *More) []schema.GroupKind {
	var all []schema.GroupKind
	for _, k := range kinds {
		if secrets || !k.asked {
			all = append(all, k.GroupKind())
		}
	}
	if more != nil {
		all = append(all, more.Kinds...)
	}
	return all
}

// kindOf is the line of the table about an object.
func kindOf(n source.Name) (Kind, bool) {
	for _, k := range kinds {
		if k.Group == n.Group && k.Kind == n.Kind {
			return k, true
		}
	}
	return Kind{}, false
}

// replaces reports whether to change a field of an object back has pods replaced.
func replaces(n source.Name, p source.Path) bool {
	k, _ := kindOf(n)
	names := p.Fields()
	return k.replaces != "" && len(names) > 1 && names[0] == "spec" && names[1] == k.replaces
}
