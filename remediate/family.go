package remediate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// maxAsked is how many owners of other pods one look may ask for. What is learnt is remembered, so the next look gets
// further.
const maxAsked = 64

var errAskedEnough = errors.New("there are too many owners to ask for in one look")

// sets are the ReplicaSets of a namespace, or why there are none to see.
type sets struct {
	items  []appsv1.ReplicaSet
	unread string
}

// replicaSets reads the ReplicaSets beside a workload. They are read only, and shared with whoever else reads them.
func (e eye) replicaSets(ctx context.Context, root gate.Ref) (sets, error) {
	var list appsv1.ReplicaSetList
	err := e.reader.List(ctx, &list, client.InNamespace(root.Namespace), client.UnsafeDisableDeepCopy)
	if apierrors.IsForbidden(err) {
		return sets{unread: refusal(err)}, nil
	}
	if err != nil {
		return sets{}, fmt.Errorf("list the ReplicaSets of %s: %w", root, err)
	}
	return sets{items: list.Items}, nil
}

// family tells which pods of a namespace belong to a workload. It looks from the workload down: the pods of strangers,
// however many and whatever they say of their owners, cost no question, except beside a workload of a kind that may own
// anything.
type family struct {
	eye      eye
	root     gate.Ref
	at       time.Time
	sets     map[types.UID]*metav1.OwnerReference // the controller of each ReplicaSet; nil: they may not be read
	again    bool                                 // whether the ReplicaSets were read from the API server too
	againErr error
	asked    int
}

func (e eye) family(root gate.Ref, s sets, at time.Time) *family {
	f := &family{eye: e, root: root, at: at}
	if s.unread == "" {
		f.sets = map[types.UID]*metav1.OwnerReference{}
		for i := range s.items {
			f.sets[s.items[i].UID] = metav1.GetControllerOfNoCopy(&s.items[i])
		}
	}
	return f
}

// has is whether a pod belongs to the workload.
func (f *family) has(ctx context.Context, pod *corev1.Pod) (bool, error) {
	c := metav1.GetControllerOfNoCopy(pod)
	switch {
	case c == nil:
		return string(pod.UID) == f.root.UID, nil
	case plainUID(c.UID) == f.root.UID:
		return true, nil
	case direct(f.root):
		return false, nil
	}
	if isSet(c) && f.sets != nil {
		up, err := f.above(ctx, c)
		if err != nil || up == nil {
			return false, err
		}
		if plainUID(up.UID) == f.root.UID {
			return true, nil
		}
		c = up
	}
	if f.root.Group == appsv1.GroupName && f.root.Kind == "Deployment" && !isSet(c) {
		return false, nil
	}
	return f.ask(ctx, c)
}

// above is what controls a ReplicaSet; nil for nothing. A cache may not know the newest, so where one is not known the API
// server is asked for all of them, once.
func (f *family) above(ctx context.Context, c *metav1.OwnerReference) (*metav1.OwnerReference, error) {
	if up, known := f.sets[c.UID]; known {
		return up, nil
	}
	if !f.again {
		f.again = true
		list := metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
		if f.againErr = f.eye.owners.List(ctx, &list, client.InNamespace(f.root.Namespace)); f.againErr == nil {
			for i := range list.Items {
				f.sets[list.Items[i].UID] = metav1.GetControllerOf(&list.Items[i])
			}
		}
	}
	if f.againErr != nil {
		return nil, fmt.Errorf("list the ReplicaSets beside %s: %w", f.root, f.againErr)
	}
	return f.sets[c.UID], nil // one that nobody knows is gone, and belongs to nobody
}

// ask follows the owners of what controls a pod up to the last.
func (f *family) ask(ctx context.Context, c *metav1.OwnerReference) (bool, error) {
	root, known := f.eye.roots.get(f.root.Namespace, plainUID(c.UID), f.at)
	if !known {
		if f.asked >= maxAsked {
			return false, errAskedEnough
		}
		f.asked++
		var err error
		if root, err = f.eye.rootOf(ctx, f.root.Namespace, c, f.at); err != nil {
			return false, err
		}
	}
	return root.UID == f.root.UID, nil
}

// direct is whether a workload controls pods itself, and nothing that controls pods.
func direct(r gate.Ref) bool {
	switch r.Group + "/" + r.Kind {
	case "/Pod", "/Node", "/ReplicationController", "apps/ReplicaSet", "apps/StatefulSet", "apps/DaemonSet", "batch/Job":
		return true
	}
	return false
}

func isSet(c *metav1.OwnerReference) bool {
	return c.Kind == "ReplicaSet" && strings.HasPrefix(c.APIVersion, appsv1.GroupName+"/")
}
