package remediate

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
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

// plain makes an owner that a stranger named fit to be shown, stored and compared. One that exists stays as it is: a
// reference to an owner may say anything, and nobody but the API server gives a UID.
func plain(r gate.Ref) gate.Ref {
	return gate.Ref{Group: causes.Clean(r.Group, 253), Version: causes.Clean(r.Version, 63), Kind: causes.Clean(r.Kind, 63),
		Namespace: r.Namespace, Name: causes.Clean(r.Name, 253), UID: plainUID(types.UID(r.UID))}
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
