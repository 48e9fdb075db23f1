package drift

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
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

// announce tells on the object itself that a drift was opened, or that it is gone.
func (d *Detector) announce(subject gate.Ref, kind, reason, text, name string) {
	if d.Events == nil {
		return
	}
	d.Events.Eventf(reference(subject), nil, kind, reason, "Compare", "%s; case %s", gate.OneLine(text, noteMost), name)
}

func (d *Detector) announceOpened(subject gate.Ref, text, name string) {
	d.announce(subject, corev1.EventTypeWarning, eventDrifted, text, name)
}

func (d *Detector) announceGone(k *v1alpha1.Case) {
	s := k.Spec.Subject
	d.announce(gate.Ref{Group: s.Group, Version: s.Version, Kind: s.Kind, Namespace: k.Namespace, Name: s.Name, UID: s.UID},
		corev1.EventTypeNormal, eventGone, "it says what Git says again, or differs in another way", k.Name)
}

func reference(r gate.Ref) *corev1.ObjectReference {
	version := r.Version
	if r.Group != "" {
		version = r.Group + "/" + r.Version
	}
	return &corev1.ObjectReference{APIVersion: version, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name, UID: types.UID(r.UID)}
}
