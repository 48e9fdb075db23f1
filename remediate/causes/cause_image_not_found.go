package causes

import "moorgate.dev/internal/gate"

// The law: the registry answered, and has no such image: a tag that was never pushed or was deleted, a name with a mistake in it. It is
// told apart from a registry that does not tell strangers what it has (access denied), and from an image that is there for other
// processors alone, of which containerd says "not found" as well.
//
// It is the same on every node that does not hold the image yet; that one still runs is no sign that the next would. Going back cures
// it where the revision before works, and a push does.
var imageNotFound = Cause{
	Doc: gate.Doc{ID: "image-not-found", Since: "v0.2", Title: "The image does not exist",
		Text: "The registry answers that it has no such image or tag (404, not found, manifest unknown). Not for an image that it refuses, or holds for other platforms only."},
	Symptoms: []Symptom{ImagePull}, Points: 15, Sure: byMessage, Reversible: true,
	explains: told(toldNotFound),
	tell: func(w World, e Explained) string {
		return sentence("%s does not exist at %s: %s in %s waits for it", e.image(), e.registry(), e.who(w), crowd(w, e.Count()))
	},
}
