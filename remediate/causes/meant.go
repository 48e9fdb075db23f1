package causes

import (
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Meant is what a pod's manifest says of the container in question, as far as a cause rests on it: no value of its environment, and
// no argument.
type Meant struct {
	Init        bool // it has to end before the others begin
	NonRoot     bool // it may not run as root
	Hook        bool // something is run in it after it starts, and it is killed where that fails
	PullSecrets []string
	References  []Reference // what its environment cannot do without, in the manifest's order
	Startup     *Probe      // what kills it until it has started, and Liveness from then on
	Liveness    *Probe
}

// Reference is a ConfigMap or a Secret that is named; Key is empty where no single key is.
type Reference struct{ Kind, Name, Key string }

// Probe is one for whose failing the kubelet kills a container.
type Probe struct {
	Delay, Period, Timeout, Grace time.Duration
	Failures                      int
	Port                          string // as the manifest writes it; empty for a probe that asks no port
	Undeclared                    bool   // the container declares ports, and this is none of them
}

// earliest is how long a container runs at least before the probe kills it, and window until the first answer is expected at last.
func (p Probe) earliest() time.Duration { return p.Delay + time.Duration(p.Failures-1)*p.Period }
func (p Probe) window() time.Duration   { return p.Delay + time.Duration(p.Failures)*p.Period }

// latest is how long one runs at most that never answered: a first probe may come a period late, an answer is waited for, and so is
// the end.
func (p Probe) latest() time.Duration { return p.window() + p.Period + p.Timeout + p.Grace }

func meantOf(pod *corev1.Pod, name string) Meant {
	named := func(c corev1.Container) bool { return c.Name == name }
	if i := slices.IndexFunc(pod.Spec.InitContainers, named); i >= 0 {
		m := meant(pod, &pod.Spec.InitContainers[i])
		m.Init = initOf(pod, name) == preparing
		return m
	}
	if i := slices.IndexFunc(pod.Spec.Containers, named); i >= 0 {
		return meant(pod, &pod.Spec.Containers[i])
	}
	return Meant{}
}

func meant(pod *corev1.Pod, c *corev1.Container) Meant {
	m := Meant{Hook: c.Lifecycle != nil && c.Lifecycle.PostStart != nil, Startup: probeOf(pod, c, c.StartupProbe), Liveness: probeOf(pod, c, c.LivenessProbe), References: referencesOf(c)}
	for _, s := range pod.Spec.ImagePullSecrets {
		m.PullSecrets = append(m.PullSecrets, s.Name)
	}
	if s := pod.Spec.SecurityContext; s != nil && s.RunAsNonRoot != nil {
		m.NonRoot = *s.RunAsNonRoot
	}
	if s := c.SecurityContext; s != nil && s.RunAsNonRoot != nil {
		m.NonRoot = *s.RunAsNonRoot
	}
	return m
}

func probeOf(pod *corev1.Pod, c *corev1.Container, p *corev1.Probe) *Probe {
	if p == nil {
		return nil
	}
	seconds := func(n int32) time.Duration { return time.Duration(n) * time.Second }
	out := &Probe{Delay: seconds(p.InitialDelaySeconds), Period: seconds(max(1, p.PeriodSeconds)), Timeout: seconds(p.TimeoutSeconds), Failures: int(max(1, p.FailureThreshold)), Grace: 30 * time.Second}
	for _, grace := range []*int64{pod.Spec.TerminationGracePeriodSeconds, p.TerminationGracePeriodSeconds} {
		if grace != nil {
			out.Grace = time.Duration(*grace) * time.Second
		}
	}
	switch {
	case p.HTTPGet != nil:
		out.Port = p.HTTPGet.Port.String()
	case p.TCPSocket != nil:
		out.Port = p.TCPSocket.Port.String()
	}
	out.Undeclared = out.Port != "" && len(c.Ports) > 0 && !slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool {
		return port.Name == out.Port || strconv.Itoa(int(port.ContainerPort)) == out.Port
	})
	return out
}

// referencesOf is what the environment of a container cannot do without, each once.
func referencesOf(c *corev1.Container) (all []Reference) {
	add := func(r Reference, optional *bool) {
		if (optional == nil || !*optional) && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	for _, from := range c.EnvFrom {
		if r := from.ConfigMapRef; r != nil {
			add(Reference{Kind: "ConfigMap", Name: r.Name}, r.Optional)
		}
		if r := from.SecretRef; r != nil {
			add(Reference{Kind: "Secret", Name: r.Name}, r.Optional)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.ConfigMapKeyRef; r != nil {
			add(Reference{Kind: "ConfigMap", Name: r.Name, Key: r.Key}, r.Optional)
		}
		if r := e.ValueFrom.SecretKeyRef; r != nil {
			add(Reference{Kind: "Secret", Name: r.Name, Key: r.Key}, r.Optional)
		}
	}
	return all
}
