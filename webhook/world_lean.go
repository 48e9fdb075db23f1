package webhook

import (
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
)

// sharedMax is how many different lists of resources are kept to be shared.
const sharedMax = 4096

// Lean takes out of what an informer cache holds what a Handler and its World never read of it: of pods that is most, and they are
// most of a cluster. Who reads more of what it trims needs a cache of its own. The zero Lean is ready to use, and may be used concurrently.
type Lean struct{ shared lists }

// Trim changes the object itself, and is a transform of informers.
func (l *Lean) Trim(obj any) (any, error) {
	switch o := obj.(type) {
	case *corev1.Pod:
		l.pod(o)
	case *corev1.Node:
		o.Status.Images, o.Status.VolumesInUse, o.Status.VolumesAttached = nil, nil, nil
	case *appsv1.Deployment: // of what others depend on it is asked how many there are and should be
		*o = appsv1.Deployment{ObjectMeta: bare(&o.ObjectMeta), Spec: appsv1.DeploymentSpec{Replicas: o.Spec.Replicas}, Status: appsv1.DeploymentStatus{ReadyReplicas: o.Status.ReadyReplicas}}
	case *appsv1.StatefulSet:
		*o = appsv1.StatefulSet{ObjectMeta: bare(&o.ObjectMeta), Spec: appsv1.StatefulSetSpec{Replicas: o.Spec.Replicas}, Status: appsv1.StatefulSetStatus{ReadyReplicas: o.Status.ReadyReplicas}}
	case *discoveryv1.EndpointSlice:
		l.slice(o)
	case *v1alpha1.Case:
		l.kase(o)
	}
	return obj, nil
}

// bare is what tells an object from others.
func bare(m *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}
}

// slice keeps of endpoints whose they are, and whether one is ready.
func (l *Lean) slice(s *discoveryv1.EndpointSlice) {
	slim := discoveryv1.EndpointSlice{ObjectMeta: bare(&s.ObjectMeta)}
	slim.Labels = map[string]string{discoveryv1.LabelServiceName: s.Labels[discoveryv1.LabelServiceName]}
	if hasReady(s) {
		slim.Endpoints = []discoveryv1.Endpoint{{}}
	}
	*s = slim
}

// kase keeps of a Case what is remembered of how something ended, and of one that was opened before the client had its answer what
// was heard since: its status is whole, because it is written to. All else is for people, and for the judge.
func (l *Lean) kase(c *v1alpha1.Case) {
	if c.Spec.Answer != nil && early(c) {
		c.Spec.Answer.Opinion, c.Spec.Answer.Brief = v1alpha1.Opinion{}, nil
		return
	}
	slim := v1alpha1.Case{ObjectMeta: bare(&c.ObjectMeta)}
	if _, tells := rememberedOf(c); tells {
		slim.CreationTimestamp, slim.Labels = c.CreationTimestamp, c.Labels
		slim.Spec = v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: c.Spec.Signal.Face}, Subject: c.Spec.Subject}
		slim.Status.Images, slim.Status.Cause = c.Status.Images, c.Status.Cause
		if rollout := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout); rollout != nil {
			slim.Status.Conditions = []metav1.Condition{*rollout}
		}
	}
	*c = slim
}

func (l *Lean) pod(p *corev1.Pod) {
	s := &p.Spec
	p.Annotations = nil
	s.Containers, s.InitContainers, s.EphemeralContainers = l.containers(s.Containers), l.containers(s.InitContainers), nil
	s.Volumes, s.Tolerations, s.ImagePullSecrets, s.TopologySpreadConstraints, s.ReadinessGates = nil, nil, nil, nil, nil
	s.SecurityContext, s.DNSConfig, s.HostAliases = nil, nil, nil
	t := &p.Status
	*t = corev1.PodStatus{Phase: t.Phase, Conditions: amiss(t.Conditions), InitContainerStatuses: notable(t.InitContainerStatuses), ContainerStatuses: notable(t.ContainerStatuses)}
}

// amiss are the conditions of a pod that speak against it: of the two kinds that are looked at.
func amiss(all []corev1.PodCondition) []corev1.PodCondition {
	var kept []corev1.PodCondition
	for _, c := range all {
		if c.Status == corev1.ConditionFalse && (c.Type == corev1.PodScheduled || c.Type == corev1.PodReady) {
			kept = append(kept, corev1.PodCondition{Type: c.Type, Status: c.Status, Reason: c.Reason, LastTransitionTime: c.LastTransitionTime})
		}
	}
	return kept
}

// notable are the containers of which there is more to tell than that they run and always did.
func notable(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for _, c := range all {
		if c.State.Waiting != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil {
			kept = append(kept, corev1.ContainerStatus{Name: c.Name, State: c.State, LastTerminationState: c.LastTerminationState, Ready: c.Ready, RestartCount: c.RestartCount, Image: c.Image})
		}
	}
	return kept
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
