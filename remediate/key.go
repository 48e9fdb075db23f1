package remediate

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// crashLoop is the Reason of the one happening that this version knows: a container is started, fails, and is started again.
const crashLoop = "CrashLoop"

// triggers are the reasons of Warning events on a pod that make somebody look at it. What they mean is read from the pod:
// BackOff is said of image pulls too.
var triggers = map[string]bool{"BackOff": true}

// Key tells one happening from another: one container of one revision of one workload. Pods are no part of it, so that a
// hundred pods with one cause are one Case.
type Key struct {
	Root      gate.Ref
	Container string
	Revision  string
}

// String is the Signal's key. It holds nothing that changes while the happening lasts.
func (k Key) String() string {
	return strings.Join([]string{crashLoop, k.Root.UID, k.Container, k.Revision}, "/")
}

// parseKey reads what String writes about a workload.
func parseKey(root gate.Ref, s string) (Key, bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 4 || parts[0] != crashLoop || parts[1] != root.UID || parts[2] == "" {
		return Key{}, false
	}
	return Key{Root: root, Container: parts[2], Revision: parts[3]}, true
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
