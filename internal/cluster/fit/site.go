package fit

import (
	corev1 "k8s.io/api/core/v1"
)

// Site is the cluster as a pod finds it. Nothing in it is changed: it may belong to a cache.
type Site struct {
	nodes []*corev1.Node
	named map[string]*corev1.Node
	held  map[string]corev1.ResourceList // by node: what the pods there ask for
	pods  map[string][]*corev1.Pod       // by node

	// Namespaces are the labels of each.
	Namespaces map[string]map[string]string
	// Unbound names a claim of the pod that is not there or not bound and will not be by scheduling it; empty for none.
	Unbound string
	// Volumes say from where the pod's bound volumes can be reached.
	Volumes []*corev1.NodeSelector
}

// NewSite is a cluster of these nodes with all pods that hold a place there. What they ask for is added up once, for all pods that are
// asked about.
func NewSite(nodes []corev1.Node, pods []corev1.Pod) Site {
	s := Site{named: map[string]*corev1.Node{}, held: map[string]corev1.ResourceList{}, pods: map[string][]*corev1.Pod{}}
	for i := range nodes {
		n := &nodes[i]
		s.nodes = append(s.nodes, n)
		s.named[n.Name], s.held[n.Name] = n, corev1.ResourceList{}
	}
	for i := range pods {
		p := &pods[i]
		if _, known := s.named[p.Spec.NodeName]; !known || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		s.pods[p.Spec.NodeName] = append(s.pods[p.Spec.NodeName], p)
		Add(s.held[p.Spec.NodeName], Requests(p))
	}
	return s
}

// Size is how many nodes there are, and how many pods on them.
func (s Site) Size() (nodes, pods int) {
	for _, on := range s.pods {
		pods += len(on)
	}
	return len(s.nodes), pods
}
