package checks

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// The law: a rollout is gated by readiness, so a container that serves must say when it is ready. Without a readiness probe
// a pod counts as ready as soon as it has started, and a broken version replaces a good one unhindered.
//
// A container that declares a port serves, and needs a probe, unless another container of the pod has one: then only the
// lesser points are taken. A pod that declares no port at all may be a worker: the lesser points, and none for a DaemonSet,
// whose agents seldom serve.
//
// A probe of a port by name looks among the ports of its own container only. The kubelet can never resolve a name that is
// not there: the container never becomes ready (readiness) or never counts as started (startup), and the rollout is refused
// outright. The pods of Jobs and CronJobs, and bare Pods, gate nothing by their readiness. A liveness probe that cannot be resolved is thrown away by the kubelet, so it only loses points. A probe of a
// port by number works whether or not the number is declared, since declaring ports is informational: a number that no
// container declares only loses the lesser points, as a likely slip.
var readinessCheck = Check{
	ID: "readiness", Title: "Readiness can be told", Points: pointsProbeName, Nature: gate.Lasting,
	Law:  "Containers that serve have a readiness probe. A readiness or startup probe of a port name that its container does not declare refuses the rollout; one of a number that no container declares only loses points, for declaring ports is informational.",
	look: lookReadiness,
}

func lookReadiness(r Rollout) Result {
	if r.New.Once {
		return Result{} // nobody waits for such pods to be ready before anything goes on
	}
	spec := &r.New.Template.Spec
	cites := []string{EvidenceWorkload}
	var out Result
	if f, ok := unprobed(r.New.Ref.Kind, spec); ok {
		out.Findings = append(out.Findings, f)
	}
	var undeclared, ignored string
	numbers := declared(spec)
	for _, c := range longRunning(spec, true) {
		for _, p := range probesOf(c) {
			port, ok := portOf(p.probe)
			if !ok || declares(numbers, c, port) {
				continue
			}
			switch {
			case port.Type == intstr.Int:
				undeclared = strconv.Itoa(int(port.IntVal)) + " (" + p.kind + " of " + name(c.Name) + ")"
			case p.kind == "liveness":
				ignored = name(port.StrVal) + " (" + name(c.Name) + ")"
			default:
				f := found(pointsProbeName, gate.Lasting, cites, "%s probe of %s uses port name %q, which it does not declare",
					p.kind, name(c.Name), name(port.StrVal))
				f.Hard = true
				out.Findings = append(out.Findings, f)
			}
		}
	}
	if ignored != "" {
		out.Findings = append(out.Findings, found(pointsProbeNumber, gate.Lasting, cites,
			"liveness probe of an undeclared port name never runs: %s", ignored))
	}
	if undeclared != "" {
		out.Findings = append(out.Findings, found(pointsProbeNumber, gate.Lasting, cites,
			"a probe uses port %s, which no container declares", undeclared))
	}
	return out
}

// unprobed finds containers that should say when they are ready and do not.
func unprobed(kind string, spec *corev1.PodSpec) (gate.Finding, bool) {
	var serving []string
	gated := len(spec.ReadinessGates) > 0
	for _, c := range longRunning(spec, true) {
		if c.ReadinessProbe != nil {
			gated = true
		}
	}
	for _, c := range longRunning(spec, false) {
		if c.ReadinessProbe == nil && len(c.Ports) > 0 {
			serving = append(serving, c.Name)
		}
	}
	cites := []string{EvidenceWorkload}
	switch {
	case len(serving) > 0 && !gated:
		return found(pointsReadiness, gate.Lasting, cites, "no readiness probe: %s", names(serving)), true
	case len(serving) > 0:
		return found(pointsProbeNumber, gate.Lasting, cites, "no readiness probe, though others of the pod have one: %s", names(serving)), true
	case !gated && kind != "DaemonSet":
		return found(pointsProbeNumber, gate.Lasting, cites, "no container has a readiness probe, so started counts as ready"), true
	}
	return gate.Finding{}, false
}

type kindOfProbe struct {
	kind  string
	probe *corev1.Probe
}

func probesOf(c *corev1.Container) []kindOfProbe {
	return []kindOfProbe{{"readiness", c.ReadinessProbe}, {"startup", c.StartupProbe}, {"liveness", c.LivenessProbe}}
}

// portOf returns the port of this pod that the probe asks, if it asks one.
func portOf(p *corev1.Probe) (intstr.IntOrString, bool) {
	switch {
	case p == nil:
	case p.HTTPGet != nil:
		// A number on another host is not this pod's; a name is still looked up among this container's ports.
		return p.HTTPGet.Port, p.HTTPGet.Host == "" || p.HTTPGet.Port.Type == intstr.String
	case p.TCPSocket != nil:
		return p.TCPSocket.Port, p.TCPSocket.Host == "" || p.TCPSocket.Port.Type == intstr.String
	case p.GRPC != nil:
		return intstr.FromInt32(p.GRPC.Port), true
	}
	return intstr.IntOrString{}, false
}

// declared holds every port number that a container of the pod declares: they all share one network.
func declared(spec *corev1.PodSpec) map[int32]bool {
	numbers := map[int32]bool{}
	for _, c := range longRunning(spec, true) {
		for _, p := range c.Ports {
			numbers[p.ContainerPort] = true
		}
	}
	return numbers
}

// declares reports whether the port can be found: a name in the container itself, a number in any container of the pod.
func declares(numbers map[int32]bool, c *corev1.Container, port intstr.IntOrString) bool {
	if port.Type == intstr.Int {
		return numbers[port.IntVal]
	}
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == port.StrVal })
}
