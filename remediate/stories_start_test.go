package remediate_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/test/cluster"
)

// asKubelet writes the status of a pod as its kubelet would.
func (h *house) asKubelet(p *corev1.Pod, change func(*corev1.PodStatus)) {
	h.t.Helper()
	change(&p.Status)
	body, err := json.Marshal(map[string]any{"status": p.Status})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.admin.Status().Patch(h.t.Context(), p, client.RawPatch(types.StrategicMergePatchType, body)); err != nil {
		h.t.Fatal(err)
	}
}

// running is a status in which the containers run, started as said, and are ready or not.
func running(since time.Duration, ready, started bool, conditions ...corev1.PodCondition) func(*corev1.PodStatus) {
	return func(s *corev1.PodStatus) {
		at := metav1.NewTime(time.Now().Add(-since))
		s.Phase = corev1.PodRunning
		s.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", Image: "registry.example/app:1", ImageID: "x", Ready: ready, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}}}
		all := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[ready]
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.ContainersReady, Status: all, LastTransitionTime: at})
		if len(conditions) == 0 {
			conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: all, LastTransitionTime: at}}
		}
		s.Conditions = append(s.Conditions, conditions...)
	}
}

func bound(p *corev1.Pod) bool { return p.Spec.NodeName != "" }

func probed(port intstr.IntOrString) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		c := &d.Spec.Template.Spec.Containers[0]
		c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
		c.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Path: "/"}}}
	}
}

// TestStoriesOfReadiness are containers that run and are not ready.
func TestStoriesOfReadiness(t *testing.T) {
	const symptom = "NotReady"
	stories(t, map[string]scene{
		"a probe to a port that is not declared": func(h *house) {
			h.deployment("web", 1, cluster.NotReady, probed(intstr.FromInt32(8081)))
			h.names("web", symptom, "probe-port", "port 8081")
		},
		"a probe that fails": func(h *house) {
			d := h.deployment("web", 1, cluster.NotReady, probed(intstr.FromString("http")))
			h.names("web", symptom, "readiness-probe-fails", "HTTP probe does not pass")
			h.rollOut(d, func(d *appsv1.Deployment) { delete(d.Spec.Template.Labels, cluster.FaultLabel) })
			h.ends("web", symptom, "Replaced")
		},
		"a Service behind it that has nobody": func(h *house) {
			names := func(service string) func(*appsv1.Deployment) {
				return func(d *appsv1.Deployment) {
					d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "DATABASE_URL", Value: "postgres://" + service + ":5432/shop"}}
				}
			}
			h.deployment("db", 1, "")
			h.service("db", "db", intstr.FromInt32(5432))
			h.service("cache", "nobody", intstr.FromInt32(6379))
			h.pods("db", 1, ready)
			h.deployment("web", 1, cluster.NotReady, probed(intstr.FromString("http")), names("cache"))
			h.deployment("other", 1, cluster.NotReady, probed(intstr.FromString("http")), names("db"))
			h.names("web", symptom, "dependency-down", "names Service cache")
			h.names("other", symptom, "readiness-probe-fails", "")
			h.deployment("nobody", 1, "")
			h.names("web", symptom, "readiness-probe-fails", "")
		},
		"a start that takes its time, and one that took it": func(h *house) {
			slow := func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.Containers[0].StartupProbe = &corev1.Probe{FailureThreshold: 60, PeriodSeconds: 10, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
			}
			h.deployment("slow", 1, byHand, slow)
			h.deployment("late", 1, byHand, slow)
			h.asKubelet(&h.pods("slow", 1, bound)[0], running(time.Minute, false, false))
			h.asKubelet(&h.pods("late", 1, bound)[0], running(time.Hour, false, false))
			h.names("slow", symptom, "slow-start", "10m0s")
			h.names("late", symptom, "startup-probe-fails", "has not started")
		},
		"a gate that nobody sets, and one that is set": func(h *house) {
			gated := func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
			}
			h.deployment("web", 1, byHand, gated)
			h.deployment("fine", 1, byHand, gated)
			ready := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue}
			h.asKubelet(&h.pods("web", 1, bound)[0], running(time.Minute, true, true, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ReadinessGatesNotReady"}))
			h.asKubelet(&h.pods("fine", 1, bound)[0], running(time.Minute, true, true, ready, corev1.PodCondition{Type: "example.com/lb", Status: corev1.ConditionTrue}))
			h.names("web", symptom, "readiness-gate", "example.com/lb")
			h.quiet("web")
		},
	})
}

// TestStoriesOfBeginnings are pods that have a node and do not begin.
func TestStoriesOfBeginnings(t *testing.T) {
	const symptom = "NotStarting"
	stories(t, map[string]scene{
		"a ConfigMap that is not there": func(h *house) {
			volume := func(optional bool) func(*appsv1.Deployment) {
				return spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
					s.Volumes = []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
						LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Optional: &optional}}}}
				})
			}
			h.deployment("web", 2, byHand, volume(false))
			h.deployment("bare", 1, byHand, volume(true))
			h.names("web", symptom, "volume-source-missing", "ConfigMap settings")
			if c := h.judged("bare", anyVerdict); c.Status.Cause == "volume-source-missing" {
				h.t.Errorf("what is optional is missed: %s", c.Status.Summary)
			}
			h.create(&corev1.ConfigMap{ObjectMeta: h.named("settings")})
			for _, p := range h.pods("web", 2, bound) {
				h.asKubelet(&p, running(time.Minute, true, true))
			}
			h.ends("web", symptom, "Ready")
		},
		"a volume that another node has": func(h *house) {
			h.claim("disk", nil, "1Gi")
			h.deployment("web", 1, byHand, spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) { s.Volumes = []corev1.Volume{claimed("disk")} }))
			p := h.pods("web", 1, bound)[0]
			var c corev1.PersistentVolumeClaim
			if err := h.admin.Get(h.t.Context(), client.ObjectKey{Namespace: h.namespace, Name: "disk"}, &c); err != nil {
				h.t.Fatal(err)
			}
			a := &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: h.namespace}, Spec: storagev1.VolumeAttachmentSpec{Attacher: "sim.moorgate.dev", NodeName: "elsewhere",
				Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &c.Spec.VolumeName}}}
			h.create(a)
			h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), a) })
			a.Status.Attached = true
			if err := h.admin.Status().Update(h.t.Context(), a); err != nil {
				h.t.Fatal(err)
			}
			h.names("web", symptom, "volume-attached-elsewhere", "node elsewhere has its volume")
			h.asKubelet(&p, running(time.Minute, true, true))
			h.ends("web", symptom, "Ready")
		},
	})
}
