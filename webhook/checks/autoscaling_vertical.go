package checks

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// VerticalAutoscaler is what is asked of a VerticalPodAutoscaler.
type VerticalAutoscaler struct {
	Name                       string
	APIVersion, Kind, Workload string // its target
	Mode                       string // Auto where it says nothing
	Containers                 []VerticalPolicy
}

// VerticalPolicy is its word about one container, or about all others where that is called *.
type VerticalPolicy struct {
	Container string
	Off       bool
	Resources []corev1.ResourceName // CPU and memory where it says nothing
	Least     corev1.ResourceList
}

// acts reports whether it changes pods that run.
func (v *VerticalAutoscaler) acts() bool {
	return v.Mode == "" || v.Mode == "Auto" || v.Mode == "Recreate" || v.Mode == "InPlaceOrRecreate"
}

// of returns its word about a container.
func (v *VerticalAutoscaler) of(container string) VerticalPolicy {
	var others VerticalPolicy
	for _, p := range v.Containers {
		switch p.Container {
		case container:
			return p
		case "*":
			others = p
		}
	}
	return others
}

func (p VerticalPolicy) sets(resource corev1.ResourceName) bool {
	if p.Off {
		return false
	}
	for _, r := range p.Resources {
		if r == resource {
			return true
		}
	}
	return len(p.Resources) == 0 && (resource == corev1.ResourceCPU || resource == corev1.ResourceMemory)
}

// lookVertical finds what vertical autoscalers do to the horizontal ones and to the namespace's limits.
func lookVertical(r Rollout, scalers []*autoscalingv2.HorizontalPodAutoscaler, out *Result) {
	all, known := r.World.VerticalAutoscalers.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("VerticalPodAutoscalers", r.World.VerticalAutoscalers))
	}
	for i := range all {
		v := &all[i]
		if !v.acts() || !targets(r.New.Ref, v.APIVersion, v.Kind, v.Workload) {
			continue
		}
		lookBothWays(r, v, scalers, out)
		lookLeast(r, v, out)
	}
}

// lookBothWays finds the first resource by which both autoscalers go.
func lookBothWays(r Rollout, v *VerticalAutoscaler, scalers []*autoscalingv2.HorizontalPodAutoscaler, out *Result) {
	for _, s := range scalers {
		for _, m := range measures(s) {
			for _, c := range longRunning(&r.New.Template.Spec, true) {
				if (m.container == "" || m.container == c.Name) && v.of(c.Name).sets(m.resource) {
					out.Findings = append(out.Findings, found(pointsBothWays, gate.Lasting, []string{EvidenceWorkload, EvidenceAutoscalers, EvidenceVerticalAutoscalers},
						"VPA %s changes the %s requests that HPA %s divides by: each works against the other", name(v.Name), m.resource, name(s.Name)))
					return
				}
			}
		}
	}
}

// lookLeast finds a container that would be given more than the namespace allows.
func lookLeast(r Rollout, v *VerticalAutoscaler, out *Result) {
	needed := false
	for _, p := range v.Containers {
		needed = needed || !p.Off && len(p.Least) > 0
	}
	if !needed {
		return
	}
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("LimitRanges", r.World.LimitRanges))
		return
	}
	most := mostOf(ranges)
	for _, c := range longRunning(&r.New.Template.Spec, true) {
		p := v.of(c.Name)
		for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			least, max := p.Least[resource], most[resource]
			if p.sets(resource) && max.Sign() > 0 && least.Cmp(max) > 0 {
				out.Findings = append(out.Findings, found(pointsLeast, gate.Lasting, []string{EvidenceWorkload, EvidenceVerticalAutoscalers, EvidenceLimitRanges},
					"VPA %s gives %s at least %s of %s, a LimitRange allows %s", name(v.Name), name(c.Name), least.String(), resource, max.String()))
				return
			}
		}
	}
}

// mostOf is the most that a container may have under all LimitRanges together.
func mostOf(ranges []corev1.LimitRange) corev1.ResourceList {
	most := corev1.ResourceList{}
	for _, r := range ranges {
		for _, item := range r.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			for k, q := range item.Max {
				if had, ok := most[k]; !ok || q.Cmp(had) < 0 {
					most[k] = q
				}
			}
		}
	}
	return most
}
