package checks

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// oldApp is the first container as it was.
func oldApp(r *Rollout) *corev1.Container { return &r.Old.Template.Spec.Containers[0] }

// updated makes the rollout an update in which the container was and will be something.
func updated(was, is func(*corev1.Container)) func(*Rollout) {
	return steps(update, func(r *Rollout) {
		if was != nil {
			was(oldApp(r))
		}
		if is != nil {
			is(app(r))
		}
	})
}

func TestChangeRisk(t *testing.T) {
	image := func(i string) func(*corev1.Container) { return func(c *corev1.Container) { c.Image = i } }
	memory := func(m string) func(*corev1.Container) {
		return func(c *corev1.Container) { c.Resources.Requests = list("cpu", "1", "memory", m) }
	}
	cpu := func(n string) func(*corev1.Container) {
		return func(c *corev1.Container) { c.Resources.Limits = list("cpu", n) }
	}
	args := func(a ...string) func(*corev1.Container) { return func(c *corev1.Container) { c.Args = a } }
	command := func(a ...string) func(*corev1.Container) {
		return func(c *corev1.Container) { c.Command = a }
	}
	vars := func(all ...string) func(*corev1.Container) {
		return func(c *corev1.Container) {
			for _, n := range all {
				c.Env = append(c.Env, corev1.EnvVar{Name: n, Value: "hunter2"})
			}
		}
	}
	mounts := func(volume, path string) func(*corev1.Container) {
		return func(c *corev1.Container) {
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: path})
		}
	}
	secured := func(s corev1.SecurityContext) func(*corev1.Container) {
		return func(c *corev1.Container) { c.SecurityContext = &s }
	}
	noProbe := func(c *corev1.Container) { c.ReadinessProbe = nil }
	ranBefore := func(r *Rollout) { r.World.Revisions = gate.Known([]Revision{{Hash: Hash(r.New.Template)}}) }
	unavailable := func(was, is int32) func(*Rollout) {
		return steps(update, func(r *Rollout) { r.Old.MaxUnavailable, r.New.MaxUnavailable = was, is })
	}
	riskCheck.tell(t, []tale{
		{name: "a create is compared with nothing"},
		{name: "another image is what rollouts are for", change: update},
		{name: "a probe is gone", change: updated(nil, noProbe), points: 10, text: "probe removed: readiness of app"},
		{name: "a probe came", change: updated(noProbe, nil)},
		{name: "memory lost its unit", change: updated(memory("512Mi"), memory("512")), points: 10, text: "cut to half or less: memory request 512Mi to 512 of app"},
		{name: "memory in other units", change: updated(memory("1Gi"), memory("1G"))},
		{name: "memory is half", change: updated(memory("1Gi"), memory("512Mi")), points: 10, text: "1Gi to 512Mi"},
		{name: "memory is a little more than half", change: updated(memory("1Gi"), memory("513Mi"))},
		{name: "CPU lost its unit", change: updated(cpu("100m"), cpu("100")), points: 10, text: "ten times and more: cpu limit 100m to 100 of app"},
		{name: "CPU is nine times as much", change: updated(cpu("100m"), cpu("900m"))},
		{name: "a limit that is gone is no number", change: updated(cpu("100m"), nil)},
		{name: "the image comes from elsewhere", change: updated(image("shop/web:1.3"), image("evil/web:1.4")), points: 10, text: "image of another repository: app from docker.io/evil/web"},
		{name: "the same repository by its long name", change: updated(image("nginx:1.3.0"), image("docker.io/library/nginx:1.4.0"))},
		{name: "an older image", change: updated(image("web:1.10.0"), image("web:1.9.9")), points: 10, text: "an older image: 1.9.9 after 1.10.0 (app)"},
		{name: "a tag that says less is no older", change: updated(image("web:1.4.2"), image("web:1.4"))},
		{name: "another kind of the same version", change: updated(image("web:1.4.2-bookworm"), image("web:1.4.2-alpine"))},
		{name: "a major version", change: updated(image("web:v1.4.2"), image("web:v2.0.0")), points: 5, text: "another major version: v2.0.0 after v1.4.2 (app)"},
		{name: "a year is no major version", change: updated(image("web:2025.12.1"), image("web:2026.1.1"))},
		{name: "numbers of builds are not compared", change: updated(image("web:41"), image("web:7"))},
		{name: "words are not compared", change: updated(image("web:stable"), image("web:1.4.2"))},
		{name: "another command", change: updated(command("/server", "--a"), command("/bin/sh")), points: 5, text: "another command or other arguments: app"},
		{name: "a flag more", change: updated(command("/server", "--a=1"), command("/server", "--a=2", "--b"))},
		{name: "another script", change: updated(command("sh", "-c", "exec server"), command("sh", "-c", "exec other")), points: 5},
		{name: "most flags are others", change: updated(args("--a", "--b", "--c"), args("--x", "--y", "--a")), points: 5},
		{name: "arguments that were never given", change: updated(nil, args("--a"))},
		{name: "a variable is gone, by name alone", change: updated(vars("A", "B"), vars("A")), points: 5, text: "environment variables removed: B\n"},
		{name: "a variable is gone and may come with others", change: updated(vars("A"), func(c *corev1.Container) { c.EnvFrom = make([]corev1.EnvFromSource, 1) })},
		{name: "a mount is gone", change: updated(mounts("data", "/data"), nil), points: 5, text: "no longer mounted: /data (data)"},
		{name: "something else is mounted there", change: updated(mounts("data", "/data"), mounts("disk", "/data/"))},
		{name: "privileged", change: updated(nil, secured(corev1.SecurityContext{Privileged: ptr(true)})), points: 15, text: "more rights: privileged of app"},
		{name: "privileged as before", change: updated(secured(corev1.SecurityContext{Privileged: ptr(true)}), secured(corev1.SecurityContext{Privileged: ptr(true)}))},
		{name: "a capability", change: updated(nil, secured(corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"NET_ADMIN"}}})), points: 15, text: "NET_ADMIN of app"},
		{name: "root may run again", change: updated(secured(corev1.SecurityContext{RunAsNonRoot: ptr(true)}), nil), points: 15, text: "no runAsNonRoot of app"},
		{name: "the pod says so now, instead of its container", change: steps(updated(secured(corev1.SecurityContext{RunAsNonRoot: ptr(true)}), nil), func(r *Rollout) {
			r.New.Template.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: ptr(true)}
		})},
		{name: "the network of the host", change: steps(update, func(r *Rollout) { r.New.Template.Spec.HostNetwork = true }), points: 15, text: "more rights: hostNetwork"},
		{name: "a container that comes has what it has by default", change: steps(update, func(r *Rollout) {
			r.New.Template.Spec.Containers = append(r.New.Template.Spec.Containers, corev1.Container{Name: "more"})
		})},
		{name: "more may be away", change: unavailable(0, 2), points: 5, text: "lets 2 of 3 pods be away at once, before 0"},
		{name: "fewer may be away", change: unavailable(2, 0)},
		{name: "more of more may be away", change: steps(unavailable(0, 1), func(r *Rollout) { r.New.Replicas = 4 })},
		{name: "Recreate", change: steps(update, func(r *Rollout) { r.New.Recreate = true }), points: 5, text: "becomes Recreate"},
		{name: "another selector", change: steps(update, func(r *Rollout) {
			r.New.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}}
		}), points: 15, text: "the selector changes"},
		{name: "several classes are told each", change: updated(memory("1Gi"), func(c *corev1.Container) { noProbe(c); memory("1")(c) }), points: 20},
		{name: "back to what ran before", change: steps(updated(memory("1Gi"), func(c *corev1.Container) { noProbe(c); memory("1")(c) }), ranBefore)},
		{name: "the only container is the same by another name", change: updated(nil, func(c *corev1.Container) { c.Name = "web"; noProbe(c) }), points: 10, text: "readiness of web"},
	})
}

func TestManyRisksAddUpToTheMost(t *testing.T) {
	r := sound()
	update(&r)
	app(&r).ReadinessProbe, app(&r).Resources.Requests = nil, list("cpu", "100", "memory", "1")
	r.New.Template.Spec.HostNetwork = true
	sum := 0
	for _, f := range Assess(r, menu).Findings {
		if f.ID == riskCheck.ID {
			sum += f.Points
		}
	}
	if sum != pointsRisk {
		t.Errorf("%d points, want %d", sum, pointsRisk)
	}
}

func TestClasses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Rollout)
		want   []string
	}{
		"a create":          {func(*Rollout) {}, []string{"new"}},
		"an image":          {update, []string{"image"}},
		"an image and less": {updated(nil, func(c *corev1.Container) { c.Resources.Requests = list("cpu", "1m") }), []string{"image", "resources-down"}},
		"a size":            {steps(update, func(r *Rollout) { r.New.Template = *r.Old.Template.DeepCopy(); r.New.Replicas = 9 }), []string{"scale"}},
		"nothing":           {steps(update, func(r *Rollout) { r.New.Template = *r.Old.Template.DeepCopy() }), nil},
		"a label": {steps(update, func(r *Rollout) {
			r.New.Template = *r.Old.Template.DeepCopy()
			r.New.Template.Labels["x"] = "y"
		}), []string{"other"}},
		"a sidecar": {steps(update, func(r *Rollout) {
			r.New.Template = *r.Old.Template.DeepCopy()
			r.New.Template.Spec.Containers = append(r.New.Template.Spec.Containers, corev1.Container{Name: "more"})
		}), []string{"containers"}},
	} {
		r := sound()
		tt.change(&r)
		if got := Classes(r); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
