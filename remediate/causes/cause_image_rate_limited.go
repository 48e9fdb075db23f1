package causes

import "moorgate.dev/internal/gate"

// The law: the registry says that too much was asked of it (429, toomanyrequests). The image may well be there, and access may be
// granted. It is the registry's limit for whoever the nodes are to it, so it is the same for all that pull from there, and it
// passes by itself. A pod in its place asks once more, which makes it worse, and so does going back to an image that the nodes do not
// have: time cures it, or credentials, or a mirror.
var imageRateLimited = Cause{
	Doc: gate.Doc{ID: "image-rate-limited", Since: "v0.2", Title: "The registry was asked too often",
		Text: "The registry answers 429 or toomanyrequests to the pull. It passes by itself; another pod would ask again."},
	Symptoms: []Symptom{ImagePull}, Points: 25, Sure: byMessage,
	explains: told(toldRateLimited),
	shares:   ofRegistry,
	tell: func(w World, e Explained) string {
		return sentence("%s allows no more pulls for now (too many requests): %s of %s in %s", e.registry(), e.image(), e.who(w), crowd(w, e.Count()))
	},
}
