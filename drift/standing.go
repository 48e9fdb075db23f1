package drift

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// Standing is one object that did not say what Git says when its GitSource was last compared, or that could not be read then.
type Standing struct {
	Cause string    // one of Causes
	Since time.Time // its Case was opened
}

// Standing lists what stands now, of all GitSources that this process compares.
func (d *Detector) Standing() []Standing {
	d.lock.Lock()
	defer d.lock.Unlock()
	var all []Standing
	for _, one := range d.standing {
		all = slices.Concat(all, one)
	}
	return all
}

func (d *Detector) stand(key client.ObjectKey, now []Standing) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.standing == nil {
		d.standing = map[client.ObjectKey][]Standing{}
	}
	d.standing[key] = now
}

// The reasons of the Events of this face.
const (
	eventDrifted    = "Drifted"
	eventGone       = "DriftGone"
	eventUncompared = "NotComparedWithGit" // about what delivers
)

// noteMost is less than the API server takes as the note of an Event.
const noteMost = 900

func reference(r gate.Ref) *corev1.ObjectReference {
	version := r.Version
	if r.Group != "" {
		version = r.Group + "/" + r.Version
	}
	return &corev1.ObjectReference{APIVersion: version, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name, UID: types.UID(r.UID)}
}
