package cluster

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// HoldOwner is the field manager of the annotation by which a delivery is held. It is another one than that of Moorgate's own
// annotations, for server-side apply takes away what its owner leaves out, and each leaves out what the other says.
const HoldOwner = "moorgate-hold"

// holdable are the kinds whose delivery may be held, as apiVersion/kind, with their names in a path. RBAC and the fence of moorgate-act
// have the same.
var holdable = map[string]string{
	"apps/v1/Deployment": "deployments", "apps/v1/StatefulSet": "statefulsets", "apps/v1/DaemonSet": "daemonsets",
	"batch/v1/CronJob": "cronjobs", "v1/Service": "services", "networking.k8s.io/v1/Ingress": "ingresses",
	"autoscaling/v2/HorizontalPodAutoscaler": "horizontalpodautoscalers", "policy/v1/PodDisruptionBudget": "poddisruptionbudgets",
}

// Holdable is whether the delivery of an object of that kind may be held.
func Holdable(r gate.Ref) bool { return holdable[apiVersion(r)+"/"+r.Kind] != "" }

func apiVersion(r gate.Ref) string { return strings.TrimPrefix(r.Group+"/"+r.Version, "/") }

// delivering asks for the delivery of an object to be held, or to be let go. It is applied server-side and without force, if it is
// still the object with this UID: a hold is refused where somebody else says anything else by that annotation, and what is let go is
// only what nobody else says too. A plan that does not do exactly that is an error.
func delivering(a gate.Action) (gate.Request, error) {
	want := gate.Holding(a.Target)
	if a.Verb == gate.VerbRelease {
		want = gate.Releasing(a.Target)
	}
	resource := holdable[apiVersion(a.Target)+"/"+a.Target.Kind]
	switch {
	case a.Reach != want.Reach || a.Base != "" || !slices.Equal(a.Edits, want.Edits):
		return gate.Request{}, fmt.Errorf("%s %s: its plan says something else than that", a.Verb, a.Target)
	case resource == "":
		return gate.Request{}, fmt.Errorf("%s %s: it is of no kind that this is done to", a.Verb, a.Target)
	}
	if err := pinned(a.Target); err != nil {
		return gate.Request{}, fmt.Errorf("%s %s: %w", a.Verb, a.Target, err)
	}
	o := object{APIVersion: apiVersion(a.Target), Kind: a.Target.Kind, Metadata: identity{Namespace: a.Target.Namespace, Name: a.Target.Name, UID: a.Target.UID}}
	if a.Verb == gate.VerbHold {
		o.Metadata.Annotations = map[string]string{holdAnnotation: heldBy}
	}
	root := "/apis/"
	if a.Target.Group == "" {
		root = "/api/"
	}
	path := root + o.APIVersion + "/namespaces/" + a.Target.Namespace + "/" + resource + "/" + a.Target.Name
	return written(http.MethodPatch, path+"?fieldManager="+HoldOwner, "application/apply-patch+yaml", o)
}
