package checks

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// TooLarge is the ID of the one finding about a pod template that is too large to look at.
const TooLarge = "too-large"

// Beyond these a manifest is not looked at: what the checks and the lookups cost grows with each, and dry runs are free to
// send. No pod that a node could run comes near.
const (
	containersMax   = 500  // init containers included
	referencesTotal = 2000 // names of other objects, and of keys of theirs
	placementMax    = 500  // labels, expressions, values and tolerations that choose nodes
)

// Oversize says what about the workload's template is too large to be looked at, empty where nothing is.
func Oversize(w Workload) string {
	spec := &w.Template.Spec
	if n := len(spec.InitContainers) + len(spec.Containers); n > containersMax {
		return fmt.Sprintf("%d containers, more than %d", n, containersMax)
	}
	if n := placement(spec); n > placementMax {
		return fmt.Sprintf("%d clauses that choose nodes, more than %d", n, placementMax)
	}
	refs := ReferencesOf(nil, w)
	n := len(refs.Keys)
	for _, names := range []Names{refs.Secrets, refs.ConfigMaps, refs.ServiceAccounts, refs.Claims, refs.StorageClasses} {
		n += len(names)
	}
	if n > referencesTotal {
		return fmt.Sprintf("it refers to %d objects, more than %d", n, referencesTotal)
	}
	return ""
}

// placement counts what is compared with every node.
func placement(spec *corev1.PodSpec) int {
	n := len(spec.NodeSelector) + len(spec.Tolerations)
	if spec.Affinity == nil {
		return n
	}
	if a := spec.Affinity.NodeAffinity; a != nil && a.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		for _, term := range a.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			n++
			for _, list := range [][]corev1.NodeSelectorRequirement{term.MatchExpressions, term.MatchFields} {
				for _, r := range list {
					n += 1 + len(r.Values)
				}
			}
		}
	}
	if a := spec.Affinity.PodAntiAffinity; a != nil {
		n += len(a.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	return n
}

// lookSize makes the finding that stands for all others where a template is too large.
func lookSize(r Rollout) (gate.Finding, bool) {
	why := Oversize(r.New)
	if why == "" {
		return gate.Finding{}, false
	}
	f := found(pointsTooLarge, gate.Lasting, []string{EvidenceWorkload}, "the pod template is too large to be looked at: %s", why)
	f.ID, f.Hard = TooLarge, true
	return f, true
}
