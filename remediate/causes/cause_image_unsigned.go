package causes

import "moorgate.dev/internal/gate"

// The law: the node's runtime refuses the image because its signature does not satisfy the node's policy (SignatureValidationFailed).
// The image is there. That is a safeguard at work: nothing but an image that is signed as it should be cures it, and nobody should
// look for a node that is less strict.
var imageUnsigned = Cause{
	Doc: gate.Doc{ID: "image-signature-refused", Since: "v0.2", Title: "The image's signature is not accepted",
		Text: "The node's runtime refuses the image for its signature (SignatureValidationFailed). The image is there; the node's policy does not accept it."},
	Symptoms: []Symptom{ImagePull}, Points: 25, Sure: byMessage, Reversible: true,
	explains: told(toldUnsigned),
	tell: func(w World, e Explained) string {
		return sentence("the signature of %s is not accepted for %s in %s%s", e.image(), e.who(w), crowd(w, e.Count()), e.nodes())
	},
}
