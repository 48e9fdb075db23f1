package drift

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Party is what stands behind a field manager's name. The zero Party is not known.
type Party string

// The parties.
const (
	Person   Party = "person"   // somebody at a keyboard
	Delivery Party = "delivery" // whoever brings Git to the cluster, or a person who applies a file
	Machine  Party = "machine"  // a controller that sets fields as its work
)

// term is one line of the dictionary of field managers. An empty operation or subresource stands for any. A name that ends
// in * stands for all that begin so.
type term struct {
	manager, operation, subresource string
	party                           Party
}

// dictionary is data: the first line that fits holds. Names that people can choose freely are not in it, and a name that is
// not in it is nobody we know.
var dictionary = []term{
	{"kubectl", "", "scale", Person},
	{"kubectl", "Update", "", Person}, // rollout undo, and commands of older versions
	{"kubectl", "Apply", "", Delivery},
	{"kubectl-edit", "", "", Person},
	{"kubectl-patch", "", "", Person},
	{"kubectl-set", "", "", Person},
	{"kubectl-label", "", "", Person},
	{"kubectl-annotate", "", "", Person},
	{"kubectl-replace", "", "", Person},
	{"kubectl-rollout", "", "", Person},
	{"kubectl-client-side-apply", "", "", Delivery},
	{"kubectl-last-applied", "", "", Delivery},
	{"kubectl-create", "", "", Delivery},
	{"k9s", "", "", Person},
	{"node-fetch", "", "", Person}, // Lens
	{"Mozilla", "", "", Person},    // dashboards in a browser
	{"flux-client-side-apply", "", "", Person},
	{"kustomize-controller", "", "", Delivery},
	{"helm-controller", "", "", Delivery},
	{"helm", "", "", Delivery},
	{"argocd-*", "", "", Delivery},
	{"fleetagent", "", "", Delivery},
	{"kapp", "", "", Delivery},
	{"kube-controller-manager", "", "", Machine},
	{"cluster-autoscaler", "", "", Machine},
	{"vpa-*", "", "", Machine},
	{"keda-operator", "", "", Machine},
	{"cert-manager-*", "", "", Machine},
	{"external-secrets", "", "", Machine},
}

func partyOf(e metav1.ManagedFieldsEntry) Party {
	for _, t := range dictionary {
		prefix, open := strings.CutSuffix(t.manager, "*")
		named := e.Manager == t.manager || (open && strings.HasPrefix(e.Manager, prefix))
		if named && (t.operation == "" || t.operation == string(e.Operation)) && (t.subresource == "" || t.subresource == e.Subresource) {
			return t.party
		}
	}
	return ""
}
