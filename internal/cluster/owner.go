package cluster

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// maxOwners bounds how far owner references are followed: a cycle or a hostile chain ends here.
const maxOwners = 6

// RootOwner follows the controller references of an object to the workload that people think of: a pod's ReplicaSet's
// Deployment. Only metadata is read. An owner that is gone ends the walk at the last name that was known; an owner that
// cannot be read is an error, because a wrong owner would be worse than none.
func RootOwner(ctx context.Context, r client.Reader, obj client.Object, kind schema.GroupVersionKind) (gate.Ref, error) {
	at := refOf(obj, kind)
	owner := metav1.GetControllerOf(obj)
	for range maxOwners {
		if owner == nil {
			return at, nil
		}
		gv, err := schema.ParseGroupVersion(owner.APIVersion)
		if err != nil {
			return at, fmt.Errorf("read the owner of %s: %w", at, err)
		}
		at = gate.Ref{Group: gv.Group, Version: gv.Version, Kind: owner.Kind, Namespace: obj.GetNamespace(), Name: owner.Name, UID: string(owner.UID)}
		var next metav1.PartialObjectMetadata
		next.SetGroupVersionKind(gv.WithKind(owner.Kind))
		err = r.Get(ctx, client.ObjectKey{Namespace: obj.GetNamespace(), Name: owner.Name}, &next)
		if client.IgnoreNotFound(err) != nil {
			return at, fmt.Errorf("read %s to find its owner: %w", at, err)
		}
		if err != nil || next.UID != owner.UID {
			return at, nil
		}
		owner = metav1.GetControllerOf(&next)
	}
	return at, nil
}

func refOf(obj client.Object, kind schema.GroupVersionKind) gate.Ref {
	return gate.Ref{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), UID: string(obj.GetUID())}
}
