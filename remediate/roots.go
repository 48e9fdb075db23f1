package remediate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// roots remembers which workload a controller belongs to, so that this is asked now and then and not for each pod. Whoever
// names many controllers in one namespace makes it forget that namespace and no other. One goroutine uses it.
type roots struct {
	each, all int // how many are remembered of one namespace, and altogether
	keepFor   time.Duration
	known     map[string]map[string]answer // by namespace and the controller's UID
	size      int
}

type answer struct {
	root  gate.Ref
	until time.Time
}

func newRoots(each, all int, keepFor time.Duration) *roots {
	return &roots{each: each, all: all, keepFor: keepFor, known: map[string]map[string]answer{}}
}

func (r *roots) get(namespace, uid string, now time.Time) (gate.Ref, bool) {
	a, known := r.known[namespace][uid]
	return a.root, known && now.Before(a.until)
}

func (r *roots) keep(namespace, uid string, root gate.Ref, now time.Time) {
	if _, known := r.known[namespace][uid]; !known {
		if len(r.known[namespace]) >= r.each {
			r.drop(namespace)
		}
		if r.size >= r.all {
			r.drop(r.fullest())
		}
		r.size++
	}
	if r.known[namespace] == nil {
		r.known[namespace] = map[string]answer{}
	}
	r.known[namespace][uid] = answer{root: root, until: now.Add(r.keepFor)}
}

// forget makes whatever belonged to a workload unknown again: the workload is gone, and others may have adopted it.
func (r *roots) forget(root gate.Ref) {
	for uid, a := range r.known[root.Namespace] {
		if a.root.UID == root.UID {
			delete(r.known[root.Namespace], uid)
			r.size--
		}
	}
}

func (r *roots) drop(namespace string) {
	r.size -= len(r.known[namespace])
	delete(r.known, namespace)
}

func (r *roots) fullest() string {
	fullest := ""
	for namespace, known := range r.known {
		if len(known) > len(r.known[fullest]) {
			fullest = namespace
		}
	}
	return fullest
}

// root is the workload that a pod belongs to.
func (e eye) root(ctx context.Context, pod *corev1.Pod, now time.Time) (gate.Ref, error) {
	controller := metav1.GetControllerOfNoCopy(pod)
	if controller == nil {
		return gate.Ref{Version: podKind.Version, Kind: podKind.Kind, Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID)}, nil
	}
	return e.rootOf(ctx, pod.Namespace, controller, now)
}

// rootOf is the workload that what controls a pod belongs to. Where an owner may not be read the walk ends at its name, the
// same in every look; what is read of it afterwards says that it could not be.
func (e eye) rootOf(ctx context.Context, namespace string, controller *metav1.OwnerReference, now time.Time) (gate.Ref, error) {
	uid := plainUID(controller.UID)
	if root, known := e.roots.get(namespace, uid, now); known {
		return root, nil
	}
	child := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, OwnerReferences: []metav1.OwnerReference{*controller}}}
	root, err := cluster.RootOwner(ctx, e.owners, child, podKind)
	if err != nil && !apierrors.IsForbidden(err) && !meta.IsNoMatchError(err) && !impossible(root.Name) {
		return root, err
	}
	root = plain(root)
	e.roots.keep(namespace, uid, root, now)
	return root, nil
}

// impossible is whether no object can have a name, though a reference to an owner may.
func impossible(name string) bool { return name == "" || len(content.IsPathSegmentName(name)) > 0 }

// plain makes an owner that a stranger named fit to be shown, stored and compared. One that exists stays as it is: a
// reference to an owner may say anything, and nobody but the API server gives a UID.
func plain(r gate.Ref) gate.Ref {
	return gate.Ref{Group: gate.OneLine(r.Group, 253), Version: gate.OneLine(r.Version, 63), Kind: gate.OneLine(r.Kind, 63),
		Namespace: r.Namespace, Name: gate.OneLine(r.Name, 253), UID: plainUID(types.UID(r.UID))}
}

var uidText = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// plainUID is a UID that fits in a key, or a hash in its place.
func plainUID(uid types.UID) string {
	if uidText.MatchString(string(uid)) {
		return string(uid)
	}
	sum := sha256.Sum256([]byte(uid))
	return "sha256-" + hex.EncodeToString(sum[:16])
}
