package causes

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The law: what the kubelet says of a container that waits, it has in part from a runtime or a registry, and these from whoever
// wrote a manifest or answers for a registry. So nothing of it is kept but its class. A message is of a class only where it reads
// from its first character to its last as the kubelet and the runtimes write it: what a stranger wrote stands at a place of its
// own, and cannot make one class look like another. Whatever reads otherwise, is very long or has more than one line is of none.

// Told is the class of what was said of a container that does not come up. The zero Told is none.
type Told string

// The classes. Of an image first, of its start next, of what it is configured with last.
const (
	toldNotFound     Told = "the registry has no such image"
	toldUnauthorized Told = "the registry refuses access"
	toldRateLimited  Told = "the registry answers that there are too many requests"
	toldUnreachable  Told = "the registry cannot be reached"
	toldUnsigned     Told = "the image's signature is not accepted"
	toldArchitecture Told = "the image is for another architecture"

	toldNoCommand     Told = "the command is not in the image"
	toldNotExecutable Told = "the command may not be executed"
	toldNoDirectory   Told = "the working directory cannot be entered"
	toldMount         Told = "a volume cannot be mounted at its path in the image"
	toldDevice        Told = "a device is not there"
	toldNameTaken     Told = "the runtime holds another container of that name"

	toldNoConfigMap    Told = "a ConfigMap is missing"
	toldNoSecret       Told = "a Secret is missing"
	toldNoConfigMapKey Told = "a key of a ConfigMap is missing"
	toldNoSecretKey    Told = "a key of a Secret is missing"
	toldRoot           Told = "the image would run as root"
)

// maxMessage is how long a message is that is read at all.
const maxMessage = 4096

// form is one way in which a class is said, beneath what it is wrapped in.
type form struct {
	told    Told
	pattern *regexp.Regexp
}

func forms(told Told, patterns ...string) (all []form) {
	for _, p := range patterns {
		all = append(all, form{told, whole(p)})
	}
	return all
}

func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// classed is the class of a message beneath its wrapping; none where two classes fit.
func classed(message string, wrapping *regexp.Regexp, all []form) Told {
	if len(message) > maxMessage || strings.ContainsAny(message, "\n\r\x00") {
		return ""
	}
	for at := wrapping.FindStringIndex(message); at != nil; at = wrapping.FindStringIndex(message) {
		message = message[at[1]:]
	}
	var told Told
	for _, f := range all {
		switch {
		case !f.pattern.MatchString(message):
		case told != "" && told != f.told:
			return ""
		default:
			told = f.told
		}
	}
	return told
}

// said is the class of what is said of a container now, or was when it could not be started.
func said(s *corev1.ContainerStatus) Told {
	if w := s.State.Waiting; w != nil {
		if told := toldOf(w.Reason, w.Message); told != "" {
			return told
		}
	}
	if ended := endOf(s); ended != nil {
		return toldOfEnd(ended.Reason, ended.Message)
	}
	return ""
}

// toldOf is the class of what the kubelet says of a container that waits for a reason.
func toldOf(reason, message string) Told {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff":
		return classed(message, pullWrapping, pullForms)
	case "RegistryUnavailable":
		return toldUnreachable
	case "SignatureValidationFailed":
		return toldUnsigned
	case "CreateContainerConfigError":
		return classed(message, noWrapping, configForms)
	case "CreateContainerError", "RunContainerError":
		return classed(message, startWrapping, startForms)
	}
	return ""
}

// toldOfEnd is the class of what the runtime says of a container that it could not start. Where a program ran, it may have written
// the message itself.
func toldOfEnd(reason, message string) Told {
	if !notStarted(reason) {
		return ""
	}
	return classed(message, startWrapping, startForms)
}
