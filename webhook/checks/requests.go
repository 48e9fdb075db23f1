package checks

import (
	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The law: a container that runs as long as its pod says how much CPU and memory it needs, or the scheduler places it
// blind and the kubelet kills it first. A limit counts as a request, as it does for the API server; so does a default from
// a LimitRange, and so do requests of the pod as a whole. Init containers that end are left alone, sidecars are not.
var requestsCheck = Check{
	ID: "requests", Title: "Containers ask for CPU and memory", Points: pointsRequests, Nature: gate.Lasting,
	Law:  "Every container and sidecar requests CPU and memory, itself, by a limit, by a LimitRange default, or for the pod as a whole. Init containers that end need not.",
	look: lookRequests,
}

func lookRequests(r Rollout) Result {
	bare := withoutRequests(r, nil)
	if len(bare) == 0 {
		return Result{}
	}
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		return Result{Unknown: []string{unread("LimitRanges", r.World.LimitRanges)}}
	}
	if bare = withoutRequests(r, ranges); len(bare) == 0 {
		return Result{}
	}
	return Result{Findings: []gate.Finding{found(pointsRequests, gate.Lasting, []string{EvidenceWorkload, EvidenceLimitRanges},
		"no CPU or memory request: %s", names(bare))}}
}

// withoutRequests names what the containers lack: "app (cpu)".
func withoutRequests(r Rollout, ranges []corev1.LimitRange) []string {
	pod := shape(&r.New.Template, ranges)
	whole := corev1.ResourceList{}
	if res := pod.Spec.Resources; res != nil {
		fill(whole, res.Requests)
		fill(whole, res.Limits)
	}
	var bare []string
	for _, c := range longRunning(&pod.Spec, true) {
		lacks := ""
		for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			own, shared := c.Resources.Requests[resource], whole[resource]
			if own.Sign() > 0 || shared.Sign() > 0 {
				continue
			}
			if lacks != "" {
				lacks += ", "
			}
			lacks += string(resource)
		}
		if lacks != "" {
			bare = append(bare, name(c.Name)+" ("+lacks+")")
		}
	}
	return bare
}
