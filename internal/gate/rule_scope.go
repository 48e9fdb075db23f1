package gate

import (
	"fmt"
	"slices"
)

// The law: Moorgate stays out of the namespaces that the cluster and its own hands live in: those of Kubernetes, of Moorgate,
// and of the GitOps controllers, by name and by the labels that these controllers bring. A target without a namespace is out
// of scope. This is compiled in and cannot be configured.
var scopeRule = rule{
	doc: Doc{ID: "scope", Since: "v0.2", Severity: Deny, Title: "Out of bounds",
		Text: "Nothing is done in kube-system, kube-public, kube-node-lease, Moorgate's own namespace and those of GitOps controllers, nor to what has no namespace. No Guardrail lifts this."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		return m.each(ReachGit, func(x *chosen) (Decision, string) {
			switch namespace := x.Target.Namespace; {
			case namespace == "":
				return Deny, fmt.Sprintf("%s has no namespace, and Moorgate acts only inside of one", x.Target)
			case slices.Contains(outOfBounds, namespace):
				return Deny, "Moorgate does nothing in namespace " + namespace
			case namespace != m.Subject.Namespace:
				return Deny, fmt.Sprintf("the action is in namespace %s, and the happening in %s", namespace, m.Subject.Namespace)
			}
			labels, known := m.Namespace.Get()
			if !known {
				return Hold, "the labels of namespace " + x.Target.Namespace + " are not known: " + m.Namespace.Why()
			}
			if part := labels["app.kubernetes.io/part-of"]; slices.Contains(gitOps, part) {
				return Deny, fmt.Sprintf("namespace %s is part of %s, and Moorgate does nothing there", x.Target.Namespace, part)
			}
			return Allow, ""
		})
	},
}

var outOfBounds = []string{"kube-system", "kube-public", "kube-node-lease", "moorgate-system", "flux-system", "argocd", "argo-cd",
	"openshift-gitops", "cattle-fleet-system", "cattle-fleet-local-system"}

// gitOps are the values of the label app.kubernetes.io/part-of that GitOps controllers and Moorgate give to their namespaces.
var gitOps = []string{"flux", "argocd", "fleet", "moorgate"}
