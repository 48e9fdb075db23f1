package checks

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// gained names what the pods may do that they might not before. A container that is new is held against one without any
// right of its own.
func gained(old, new *Workload, pairs []pair) []string {
	was, is := &old.Template.Spec, &new.Template.Spec
	var all []string
	for _, h := range []struct {
		what     string
		old, new bool
	}{{"hostNetwork", was.HostNetwork, is.HostNetwork}, {"hostPID", was.HostPID, is.HostPID}, {"hostIPC", was.HostIPC, is.HostIPC},
		{"hostUsers", was.HostUsers == nil || *was.HostUsers, is.HostUsers == nil || *is.HostUsers}} {
		if h.new && !h.old {
			all = append(all, h.what)
		}
	}
	before := make(map[*corev1.Container]*corev1.Container, len(pairs))
	for _, p := range pairs {
		before[p.new] = p.old
	}
	for _, c := range everyContainer(is) {
		b := before[c]
		a := rightsOf(is.SecurityContext, c)
		for _, right := range a.beyond(rightsBefore(was.SecurityContext, b), b != nil) {
			all = append(all, right+" of "+c.Name)
		}
	}
	return all
}

// rights are what one container may do, its pod's word included.
type rights struct {
	privileged, root, unconfined   bool
	escalates, mayBeRoot, writable bool // what a container has by default
	capabilities                   []corev1.Capability
	dropsAll                       bool
}

func rightsBefore(pod *corev1.PodSecurityContext, c *corev1.Container) rights {
	if c == nil {
		return rights{}
	}
	return rightsOf(pod, c)
}

func rightsOf(pod *corev1.PodSecurityContext, c *corev1.Container) rights {
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	own := c.SecurityContext
	if own == nil {
		own = &corev1.SecurityContext{}
	}
	user, nonRoot, seccomp := pod.RunAsUser, pod.RunAsNonRoot, pod.SeccompProfile
	if own.RunAsUser != nil {
		user = own.RunAsUser
	}
	if own.RunAsNonRoot != nil {
		nonRoot = own.RunAsNonRoot
	}
	if own.SeccompProfile != nil {
		seccomp = own.SeccompProfile
	}
	r := rights{privileged: yes(own.Privileged), root: user != nil && *user == 0, mayBeRoot: !yes(nonRoot), writable: !yes(own.ReadOnlyRootFilesystem),
		escalates:  own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation,
		unconfined: seccomp != nil && seccomp.Type == corev1.SeccompProfileTypeUnconfined}
	if own.Capabilities != nil {
		r.capabilities = own.Capabilities.Add
		r.dropsAll = slices.Contains(own.Capabilities.Drop, "ALL")
	}
	return r
}

// beyond names the rights that were not there before. What a container has by default counts only where the container
// was there and had given it up.
func (r rights) beyond(before rights, wasThere bool) []string {
	var all []string
	for _, x := range []struct {
		what     string
		now, was bool
	}{{"privileged", r.privileged, before.privileged}, {"user root", r.root, before.root}, {"seccomp Unconfined", r.unconfined, before.unconfined},
		{"allowPrivilegeEscalation", wasThere && r.escalates, before.escalates}, {"no runAsNonRoot", wasThere && r.mayBeRoot, before.mayBeRoot},
		{"writable root", wasThere && r.writable, before.writable}, {"capabilities kept", !r.dropsAll && before.dropsAll, false}} {
		if x.now && !x.was {
			all = append(all, x.what)
		}
	}
	had := make(map[corev1.Capability]bool, len(before.capabilities))
	for _, c := range before.capabilities {
		had[c] = true
	}
	for _, c := range r.capabilities {
		if !had[c] && !had["ALL"] {
			all = append(all, string(c))
		}
	}
	return all
}
