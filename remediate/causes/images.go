package causes

import (
	"regexp"
	"slices"
	"strings"
)

// imageCauses are about an image that does not come. What the kubelet has a word for is known for sure; the rest is told by the class
// of a message, which a runtime wrote and perhaps a registry, and so never for sure.
var imageCauses = []Cause{imageNameInvalid, imageNeverPulled, imageUnsigned, wrongArchitecture, imageRateLimited, imageUnauthorized,
	imageNotFound, registryUnreachable}

// byMessage is how sure a cause is that rests on the class of a message.
const byMessage = 80

// told is whether what is said of a pod is of a class.
func told(class Told) func(World, Pod) bool {
	return func(_ World, p Pod) bool { return p.Told == class }
}

// waitsFor is whether the kubelet has this word for why the container waits.
func waitsFor(reason string) func(World, Pod) bool {
	return func(_ World, p Pod) bool { return p.Waiting == reason }
}

// reference is what an image's name looks like.
var reference = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._/:]{0,254}(?:@sha(?:256|512):[0-9a-f]{1,128})?$`)

// image is the image as a sentence names it. One that looks like no image's name is hostile, or a mistake, and is not repeated.
func (e Explained) image() string {
	if image := e.Pods[0].Image; reference.MatchString(image) {
		return "image " + image
	}
	return "its image"
}

// registry is where an image comes from, as a sentence names it.
func (e Explained) registry() string {
	if host := e.host(); host != "" {
		return "registry " + host
	}
	return "its registry"
}

// host is where an image comes from; empty where its name is none.
func (e Explained) host() string {
	image := e.Pods[0].Image
	host, _, more := strings.Cut(image, "/")
	switch {
	case !reference.MatchString(image):
		return ""
	case more && (strings.ContainsAny(host, ".:") || host == "localhost"):
		return host
	}
	return "docker.io"
}

// who is the container, as a sentence names it.
func (e Explained) who(w World) string {
	if e.Pods[0].Meant.Init {
		return "init container " + w.Container
	}
	return "container " + w.Container
}

// nodes says where the pods are, if that is one node alone.
func (e Explained) nodes() string {
	var all []string
	for _, p := range e.Pods {
		if !slices.Contains(all, p.Node) {
			all = append(all, p.Node)
		}
	}
	switch {
	case len(all) == 1 && all[0] != "" && len(e.Pods) > 1:
		return ", all on node " + all[0]
	case len(all) == 1 && all[0] != "":
		return ", on node " + all[0]
	case len(all) > 1:
		return ", on " + plural(len(all), "node")
	}
	return ""
}
