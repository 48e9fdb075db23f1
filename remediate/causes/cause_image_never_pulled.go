package causes

import "moorgate.dev/internal/gate"

// The law: the manifest forbids to pull the image (imagePullPolicy Never), and the node has none (ErrImageNeverPull). The kubelet
// says the same where the node has the image and the pod may not use it. Another node may have it, which is why some pods may be
// well; else somebody brings the image to the nodes, or the policy changes.
var imageNeverPulled = Cause{
	Doc: gate.Doc{ID: "image-never-pulled", Since: "v0.2", Title: "The image may not be pulled and is not on the node",
		Text: "The manifest forbids to pull the image (imagePullPolicy Never), and the node has none that the pod may use (ErrImageNeverPull)."},
	Symptoms: []Symptom{ImagePull}, Points: 20, Sure: 95, Replaceable: true, Reversible: true,
	explains: waitsFor("ErrImageNeverPull"),
	tell: func(w World, e Explained) string {
		return sentence("%s may not pull %s (imagePullPolicy Never), and it is not there in %s%s", e.who(w), e.image(), crowd(w, e.Count()), e.nodes())
	},
}
