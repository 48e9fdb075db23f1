package causes

import "moorgate.dev/internal/gate"

// The law: the volumes are there, and the runtime cannot put one where the manifest wants it in the image: a directory onto a file, a
// path beneath a file or on a read-only part (CreateContainerError, RunContainerError, StartError). It is told apart from a volume
// that does not come, for which the pod does not get as far as this, and from a command that is not in the image. It is the same on
// every node: the mountPath or the image has to change, or to go back.
var badMountPath = Cause{
	Doc: gate.Doc{ID: "bad-mount-path", Since: "v0.2", Title: "A volume cannot be mounted at its path",
		Text: "The runtime cannot mount a volume at the path in the image that the manifest names: a directory onto a file, or beneath one, or on a read-only part."},
	Symptoms: []Symptom{CannotStart, CrashLoop}, Points: 20, Sure: byMessage, Reversible: true,
	explains: told(toldMount),
	tell: func(w World, e Explained) string {
		return sentence("a volume of %s cannot be mounted at its path in %s, in %s", e.who(w), e.image(), crowd(w, e.Count()))
	},
}
