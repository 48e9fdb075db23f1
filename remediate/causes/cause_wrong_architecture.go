package causes

import "moorgate.dev/internal/gate"

// The law: the image holds no program for the node's kind of processor. Either the registry's list of platforms has none for it, and
// the pull fails with words that otherwise speak of an image that is not there; or the image was pulled by its digest and the
// kernel cannot execute what is in it (exec format error). Where the kernel says so only in the container's log, nobody here knows.
//
// A node of another architecture cures it, which a pod in its place may come to; otherwise an image for this one, or a node selector.
var wrongArchitecture = Cause{
	Doc: gate.Doc{ID: "wrong-architecture", Since: "v0.2", Title: "The image is for another architecture",
		Text: "The image holds nothing for the node's processor: no match for its platform in the manifest, or exec format error when the runtime starts it."},
	Symptoms: []Symptom{ImagePull, CannotStart, CrashLoop}, Points: 20, Sure: byMessage, Replaceable: true, Reversible: true,
	explains: told(toldArchitecture),
	tell: func(w World, e Explained) string {
		return sentence("%s holds no program of the node's architecture for %s in %s%s", e.image(), e.who(w), crowd(w, e.Count()), e.nodes())
	},
}
