package remediate

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// Key tells one happening from another: one symptom of one workload; of a pod's symptom, in one container of one revision. Pods
// are no part of it, so that a hundred pods with one cause are one Case.
type Key struct {
	Symptom   causes.Symptom
	Root      gate.Ref
	Container string // empty where the symptom is none of a container
	Revision  string // empty where the workload has none
}

// String is the Signal's key. It holds nothing that changes while the happening lasts.
func (k Key) String() string {
	return strings.Join([]string{string(k.Symptom), k.Root.UID, k.Container, k.Revision}, "/")
}

// parseKey reads what String writes about a workload.
func parseKey(root gate.Ref, s string) (Key, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 || parts[1] != root.UID {
		return Key{}, false
	}
	k := Key{Symptom: causes.Symptom(parts[0]), Root: root, Container: parts[2], Revision: parts[3]}
	return k, k.Symptom.Known() && (k.Container != "") == k.Symptom.OfContainer()
}

// title says the happening in a few words: "container app of Deployment/web crash-loops".
func (k Key) title() string {
	of := k.Root.Kind + "/" + k.Root.Name
	if k.Container != "" {
		of = "container " + k.Container + " of " + of
	}
	return of + " " + k.Symptom.Says()
}

// revisionOf is the hash of the template that a pod was made from, as the controllers label it: the same in every replica
// of Moorgate. It is empty for pods whose controller keeps no revisions.
func revisionOf(pod *corev1.Pod) string {
	for _, label := range []string{"pod-template-hash", "controller-revision-hash"} {
		if hash := pod.Labels[label]; hash != "" {
			return hash
		}
	}
	return ""
}
