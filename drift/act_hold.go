package drift

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fluxReconcile is the annotation by which Flux is told to leave one object alone, as it stands in the cluster, until it is taken away.
const fluxReconcile = "kustomize.toolkit.fluxcd.io/reconcile"

// holds tells people how to keep who delivers an object from undoing the change before anybody has decided: for Flux, of that one object
// alone. why says why there is no such way.
func holds(l *look, by *Delivered) (commands []string, why string) {
	k, _ := kindOf(l.object.Name)
	_, byFlux := kustomizationOf(l, by)
	switch {
	case by != nil && by.owner.Kind == applicationKind.Kind:
		return nil, "Argo CD may undo the change before anybody has decided, where its Application heals itself. It can be kept from that for the whole Application only, which is not suggested."
	case k.Resource == "" || !byFlux:
		return nil, ""
	}
	resource := k.Resource
	if k.Group != "" {
		resource += "." + k.Group
	}
	annotate := fmt.Sprintf("kubectl annotate -n %s %s/%s %s", l.subject.Namespace, resource, l.subject.Name, fluxReconcile)
	return []string{annotate + "=disabled", annotate + "-"}, ""
}

// kustomizationOf is the Kustomization of Flux that delivers an object, as the delivery says or else the object's own labels.
func kustomizationOf(l *look, by *Delivered) (client.ObjectKey, bool) {
	if by != nil {
		return client.ObjectKey{Namespace: by.owner.Namespace, Name: by.owner.Name}, by.owner.Kind == kustomizationKind.Kind
	}
	name := l.labels["kustomize.toolkit.fluxcd.io/name"]
	return client.ObjectKey{Namespace: l.labels["kustomize.toolkit.fluxcd.io/namespace"], Name: name}, name != ""
}
