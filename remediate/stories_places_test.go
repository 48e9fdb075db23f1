package remediate_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func spec(change func(*corev1.PodSpec, *metav1.LabelSelector)) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { change(&d.Spec.Template.Spec, d.Spec.Selector) }
}

func hostname(own *metav1.LabelSelector) []corev1.PodAffinityTerm {
	return []corev1.PodAffinityTerm{{LabelSelector: own, TopologyKey: corev1.LabelHostname}}
}

// TestStoriesOfPlaces are pods that no node takes, and pods that look like them.
func TestStoriesOfPlaces(t *testing.T) {
	const symptom = "Unschedulable"
	stories(t, map[string]scene{
		"asks for more than any node has": func(h *house) {
			d := h.deployment("web", 2, "", asks("100", "1Gi"))
			h.names("web", symptom, "pod-too-large", "asks 100 cpu; the largest of 3 nodes that suit has 8")
			h.rollOut(d, asks("10m", "10Mi"))
			h.ends("web", symptom, "Replaced")
		},
		"asks for a device that no node has": func(h *house) {
			h.deployment("web", 1, "", func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"example.com/gpu": resource.MustParse("1")}
			})
			h.names("web", symptom, "pod-too-large", "example.com/gpu")
		},
		"asks for a label that no node has": func(h *house) {
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) { s.NodeSelector = map[string]string{"disk": "ssd"} }))
			h.names("web", symptom, "node-selector", "disk=ssd")
		},
		"more replicas than nodes with a port of the host": func(h *house) {
			h.deployment("web", 4, "", func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 31999, HostPort: 31999}}
			})
			h.names("web", symptom, "host-port", "31999")
		},
		"more replicas than nodes, apart": func(h *house) {
			d := h.deployment("web", 4, "", spec(func(s *corev1.PodSpec, own *metav1.LabelSelector) {
				s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: hostname(own)}}
			}))
			h.names("web", symptom, "pod-anti-affinity", "on each of 3 nodes that have room")
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) })
			h.ends("web", symptom, "Ready")
		},
		"beside who is not there": func(h *house) {
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
				absent := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "cache"}}
				s.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: hostname(absent)}}
			}))
			h.names("web", symptom, "pod-affinity", "on none of 3 nodes that have room")
		},
		"its claim is not there": func(h *house) {
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) { s.Volumes = []corev1.Volume{claimed("disk")} }))
			h.names("web", symptom, "claim-unbound", "its claim disk is not there")
		},
		"spread over a label that nodes lack": func(h *house) {
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, own *metav1.LabelSelector) {
				s.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own}}
			}))
			h.names("web", symptom, "topology-spread", "rack")
		},
		"held by a scheduling gate": func(h *house) {
			h.deployment("held", 1, "", asks("100", "1Gi"), spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
				s.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/wait"}}
			}))
			h.deployment("apart", 3, "", spec(func(s *corev1.PodSpec, own *metav1.LabelSelector) {
				s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: hostname(own)}}
			}))
			h.pods("apart", 3, ready)
			h.quiet()
		},
	})
}

func claimed(name string) corev1.Volume {
	return corev1.Volume{Name: "disk", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}
}
