package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestReadiness(t *testing.T) {
	none := func(r *Rollout) { app(r).ReadinessProbe = nil }
	daemon := func(r *Rollout) { r.New.Ref.Kind = "DaemonSet" }
	portless := func(r *Rollout) { app(r).Ports = nil }
	port := func(p intstr.IntOrString) func(*Rollout) {
		return func(r *Rollout) { app(r).ReadinessProbe.HTTPGet.Port = p }
	}
	second := func(ports ...corev1.ContainerPort) func(*Rollout) {
		return func(r *Rollout) {
			c := &r.New.Template.Spec.Containers
			*c = append(*c, corev1.Container{Name: "metrics", Image: "m:1", Ports: ports})
		}
	}
	readinessCheck.tell(t, []tale{
		{name: "a probe of a declared name is sound"},
		{name: "a serving container without a probe", change: none, points: 15, text: "no readiness probe: app"},
		{name: "a serving DaemonSet too", change: steps(none, daemon), points: 15},
		{name: "a pod without ports may be a worker", change: steps(none, portless), points: 5, text: "started counts as ready"},
		{name: "an agent without ports needs none", change: steps(none, portless, daemon)},
		{name: "another container's probe gates the pod", change: second(corev1.ContainerPort{ContainerPort: 9090}), points: 5, text: "metrics"},
		{name: "a second container without ports needs none", change: second()},
		{name: "a name that nobody declares refuses", change: port(intstr.FromString("web")), points: 40, hard: true, text: `port name "web"`},
		{name: "a name that only another container declares refuses as well", points: 45, hard: true, text: `port name "admin"`,
			change: steps(second(corev1.ContainerPort{Name: "admin", ContainerPort: 9}), port(intstr.FromString("admin")))},
		{name: "a number that nobody declares is a likely slip", change: port(intstr.FromInt32(8081)), points: 5, text: "8081"},
		{name: "a number that another container declares is fine", points: 5, text: "metrics",
			change: steps(second(corev1.ContainerPort{ContainerPort: 9090}), port(intstr.FromInt32(9090)))},
		{name: "a number on another host is not this pod's", change: steps(port(intstr.FromInt32(443)), func(r *Rollout) {
			app(r).ReadinessProbe.HTTPGet.Host = "example.com"
		})},
		{name: "a startup probe of an unknown name refuses", points: 40, hard: true, text: "startup probe", change: func(r *Rollout) {
			app(r).StartupProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("x")}}}
		}},
		{name: "a liveness probe of an unknown name only never runs", points: 5, text: "never runs", change: func(r *Rollout) {
			app(r).LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("x")}}}
		}},
		{name: "a command asks no port", change: func(r *Rollout) {
			app(r).ReadinessProbe.ProbeHandler = corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}
		}},
		{name: "a gRPC probe asks a number", points: 5, text: "9000", change: func(r *Rollout) {
			app(r).ReadinessProbe.ProbeHandler = corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}
		}},
	})
}
