package fit

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// hostPort is a port of the node that a pod takes for itself.
type hostPort struct {
	protocol corev1.Protocol
	port     int32
	ip       string
}

func hostPorts(pod *corev1.Pod) (all []hostPort) {
	take := func(c *corev1.Container) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				all = append(all, hostPort{p.Protocol, p.HostPort, p.HostIP})
			}
		}
	}
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			take(c)
		}
	}
	for i := range pod.Spec.Containers {
		take(&pod.Spec.Containers[i])
	}
	return all
}

func (p hostPort) clashes(q hostPort) bool {
	everywhere := func(ip string) bool { return ip == "" || ip == "0.0.0.0" || ip == "::" }
	protocol := func(p corev1.Protocol) corev1.Protocol {
		if p == "" {
			return corev1.ProtocolTCP
		}
		return p
	}
	return p.port == q.port && protocol(p.protocol) == protocol(q.protocol) && (p.ip == q.ip || everywhere(p.ip) || everywhere(q.ip))
}

func (d *demand) portsFree(n *corev1.Node) bool {
	wanted := hostPorts(d.pod)
	return len(wanted) == 0 || !slices.ContainsFunc(d.pods[n.Name], func(p *corev1.Pod) bool {
		return slices.ContainsFunc(hostPorts(p), func(q hostPort) bool { return slices.ContainsFunc(wanted, q.clashes) })
	})
}
