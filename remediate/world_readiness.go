package remediate

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// readiness reads what has to be before the container in question counts as ready, and how long those of the workload took that are.
func (e eye) readiness(ctx context.Context, w *causes.World) error {
	pods, err := e.kin(ctx, w)
	if err != nil {
		return err
	}
	w.Readiness = map[string]causes.Readiness{}
	var usual time.Duration
	for _, p := range pods {
		if took := tookToBeReady(p, w.Container); took > usual {
			usual = took
		}
		w.Readiness[string(p.UID)] = readinessOf(p, w.Container, w.At)
	}
	if usual > 0 {
		w.Usual = gate.Known(usual)
	}
	beheld(w, causes.EvidenceReadiness, "probes of "+w.Root.Kind+"/"+w.Root.Name, fmt.Sprintf("pods that are ready took up to %s", usual), nil)
	return nil
}

// tookToBeReady is how long a pod that is ready took from the start of a container that never restarted; 0 for others.
func tookToBeReady(p *corev1.Pod, container string) time.Duration {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue })
	if i < 0 {
		return 0
	}
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == container && s.State.Running != nil && s.RestartCount == 0 {
			return p.Status.Conditions[i].LastTransitionTime.Sub(s.State.Running.StartedAt.Time)
		}
	}
	return 0
}

func readinessOf(p *corev1.Pod, container string, at time.Time) causes.Readiness {
	r := causes.Readiness{Gate: unset(p), Declared: gate.Unknown[bool]("the container declares no ports, or nothing asks one"), Started: true}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.Name == container && s.State.Running != nil {
			r.Running = at.Sub(s.State.Running.StartedAt.Time).Truncate(time.Second)
			r.Started = s.Started == nil || *s.Started
		}
	}
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Name != container {
			continue
		}
		probe := c.ReadinessProbe
		if c.StartupProbe != nil {
			s := c.StartupProbe
			r.Allowed = time.Duration(s.InitialDelaySeconds+max(1, s.FailureThreshold)*max(1, s.PeriodSeconds)) * time.Second
			if !r.Started {
				probe = s
			}
		} else {
			r.Started = true
		}
		if probe != nil {
			probed(&r, probe, &c)
		}
	}
	return r
}

// unset is a readiness gate that is not set, of a pod of which every container is ready; empty for none.
func unset(p *corev1.Pod) string {
	holds := func(kind corev1.PodConditionType) bool {
		return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind && c.Status == corev1.ConditionTrue })
	}
	for _, g := range p.Spec.ReadinessGates {
		if holds(corev1.ContainersReady) && !holds(g.ConditionType) {
			return gate.OneLine(string(g.ConditionType), maxField)
		}
	}
	return ""
}

// probed fills in how a container is asked, and whether it declares the port.
func probed(r *causes.Readiness, probe *corev1.Probe, c *corev1.Container) {
	var port intstr.IntOrString
	switch {
	case probe.HTTPGet != nil:
		r.Probe, port = "HTTP", probe.HTTPGet.Port
	case probe.TCPSocket != nil:
		r.Probe, port = "TCP", probe.TCPSocket.Port
	case probe.GRPC != nil:
		r.Probe, port = "gRPC", intstr.FromInt32(probe.GRPC.Port)
	default:
		r.Probe = "command"
		return
	}
	r.Port = gate.OneLine(port.String(), maxField)
	if port.Type == intstr.Int && len(c.Ports) == 0 {
		return
	}
	r.Declared = gate.Known(slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return port.Type == intstr.Int && p.ContainerPort == port.IntVal || port.Type == intstr.String && p.Name == port.StrVal
	}))
}
