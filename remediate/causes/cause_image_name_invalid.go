package causes

import "moorgate.dev/internal/gate"

// The law: the kubelet cannot read the image's name (InvalidImageName): a capital letter, a space, a tag left empty by a template
// that had no value. No registry was asked, so it is told apart from an image that is not there. It is the same on every node, and
// passes by no time: the manifest has to change, or to go back to what it was.
var imageNameInvalid = Cause{
	Doc: gate.Doc{ID: "image-name-invalid", Since: "v0.2", Title: "The image's name is not one",
		Text: "The kubelet cannot read the name of the image (InvalidImageName), so nobody was asked for it. Not for a name that is well-formed and leads nowhere."},
	Symptoms: []Symptom{ImagePull}, Points: 20, Sure: 95, Reversible: true,
	explains: waitsFor("InvalidImageName"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot be started: %s is no valid name, in %s", e.who(w), e.image(), crowd(w, e.Count()))
	},
}
