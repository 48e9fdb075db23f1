package checks

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The law: a rollout should say what it runs. An image without a tag, or with the tag latest, is whatever the registry
// holds when a node happens to pull, so replicas may differ and a rollback may change nothing. A digest says exactly what
// runs, with or without a tag. Init containers and image volumes are held to the same.
var imageCheck = Check{
	ID: "image-tag", Title: "Images say what they are", Points: pointsImage, Nature: gate.Lasting,
	Law:  "Every image has a tag other than latest, or a digest. Init containers and image volumes count too.",
	look: lookImage,
}

func lookImage(r Rollout) Result {
	var loose []string
	for _, c := range everyContainer(&r.New.Template.Spec) {
		if !pinned(c.Image) {
			loose = append(loose, c.Name+" ("+name(c.Image)+")")
		}
	}
	for _, v := range r.New.Template.Spec.Volumes {
		if v.Image != nil && v.Image.Reference != "" && !pinned(v.Image.Reference) {
			loose = append(loose, "volume "+v.Name+" ("+name(v.Image.Reference)+")")
		}
	}
	if len(loose) == 0 {
		return Result{}
	}
	// Only the first is spelt out in full: an image name fills most of a line.
	first, more := loose[0], ""
	if len(loose) > 1 {
		more = " and " + plural(len(loose)-1, "other")
	}
	return Result{Findings: []gate.Finding{found(pointsImage, gate.Lasting, []string{EvidenceWorkload},
		"image without tag or with latest: %s%s", first, more)}}
}

// pinned reports whether the image reference says which image it means.
func pinned(image string) bool {
	if strings.Contains(image, "@") {
		return true
	}
	path := image[strings.LastIndex(image, "/")+1:] // what is before may be a registry with a port
	_, tag, ok := strings.Cut(path, ":")
	return ok && tag != "" && tag != "latest"
}

// everyContainer returns init containers and containers, in the order in which they start.
func everyContainer(spec *corev1.PodSpec) []*corev1.Container {
	all := make([]*corev1.Container, 0, len(spec.InitContainers)+len(spec.Containers))
	for i := range spec.InitContainers {
		all = append(all, &spec.InitContainers[i])
	}
	return append(all, longRunning(spec, false)...)
}

// longRunning returns the containers that run as long as the pod does; sidecars (restartable init containers) if asked.
func longRunning(spec *corev1.PodSpec, sidecars bool) []*corev1.Container {
	var all []*corev1.Container
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		if sidecars && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			all = append(all, c)
		}
	}
	for i := range spec.Containers {
		all = append(all, &spec.Containers[i])
	}
	return all
}
