package webhook

import (
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/api/v1alpha1"
)

// sharedMax is how many different lists of resources are kept to be shared.
const sharedMax = 4096

// Lean takes out of what an informer cache holds what a Handler and its World never read of it: of pods that is most, and they are
// most of a cluster. Who reads more of pods, nodes and Cases needs a cache of its own. The zero Lean is ready to use, and may be used concurrently.
type Lean struct{ shared lists }

// Trim changes the object itself, and is a transform of informers.
func (l *Lean) Trim(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.Pod:
		l.pod(o)
	case *corev1.Node:
		o.Status.Images, o.Status.VolumesInUse, o.Status.VolumesAttached = nil, nil, nil
	case *v1alpha1.Case:
		// What was said and seen at first is most of a Case, and is for people, and for the judge. The status stays: it is written to.
		if o.Spec.Answer != nil {
			o.Spec.Answer.Opinion, o.Spec.Answer.Brief = v1alpha1.Opinion{}, nil
		}
	}
	return obj, nil
}

func (l *Lean) pod(p *corev1.Pod) {
	s := &p.Spec
	p.Annotations = nil
	s.Containers, s.InitContainers, s.EphemeralContainers = l.containers(s.Containers), l.containers(s.InitContainers), nil
	s.Volumes, s.Tolerations, s.ImagePullSecrets, s.TopologySpreadConstraints, s.ReadinessGates = nil, nil, nil, nil, nil
	s.SecurityContext, s.DNSConfig, s.HostAliases = nil, nil, nil
	p.Status.PodIPs, p.Status.HostIPs, p.Status.EphemeralContainerStatuses = nil, nil, nil
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			c := &list[i]
			c.ContainerID, c.AllocatedResources, c.Resources, c.VolumeMounts, c.User, c.AllocatedResourcesStatus = "", nil, nil, nil, nil, nil
		}
	}
}

// containers keeps what is asked about containers that exist.
func (l *Lean) containers(all []corev1.Container) []corev1.Container {
	for i, c := range all {
		all[i] = corev1.Container{Name: c.Name, Image: c.Image, RestartPolicy: c.RestartPolicy, Ports: c.Ports,
			Resources: corev1.ResourceRequirements{Requests: l.shared.one(c.Resources.Requests), Limits: l.shared.one(c.Resources.Limits), Claims: c.Resources.Claims}}
	}
	return all
}

// lists keeps one of all lists of resources that are alike: thousands of pods have a few between them. What it returns is for reading
// only. The zero lists are ready to use.
type lists struct {
	mu   sync.Mutex
	kept map[string]corev1.ResourceList
}

func (l *lists) one(r corev1.ResourceList) corev1.ResourceList {
	if len(r) == 0 {
		return r
	}
	parts := make([]string, 0, len(r))
	for name, q := range r {
		parts = append(parts, string(name)+"="+q.String())
	}
	slices.Sort(parts)
	key := strings.Join(parts, ",")
	l.mu.Lock()
	defer l.mu.Unlock()
	if same, ok := l.kept[key]; ok {
		return same
	}
	if l.kept == nil || len(l.kept) >= sharedMax {
		l.kept = map[string]corev1.ResourceList{}
	}
	l.kept[key] = r
	return r
}
