package causes

import "moorgate.dev/internal/gate"

// The law: the manifest says runAsNonRoot, and the image would run as root, or as a user whose number nobody knows
// (CreateContainerConfigError). The kubelet says so, and the manifest bears it out; a message alone does not. It is a safeguard at work
// and the same on every node: the image gets a user with a number, the manifest gets a runAsUser, or it goes back. Taking the
// safeguard away is no cure that anybody here proposes.
var runAsNonRoot = Cause{
	Doc: gate.Doc{ID: "run-as-non-root", Since: "v0.2", Title: "The image would run as root and may not",
		Text: "The manifest asks for runAsNonRoot, and the image runs as root or as a user without a number, so the kubelet does not create the container (CreateContainerConfigError)."},
	Symptoms: []Symptom{CannotStart}, Points: 20, Sure: 90, Reversible: true,
	explains: func(_ World, p Pod) bool { return p.Told == toldRoot && p.Meant.NonRoot },
	tell: func(w World, e Explained) string {
		return sentence("%s may not run as root (runAsNonRoot), and %s would, or has a user without a number, in %s", e.who(w), e.image(), crowd(w, e.Count()))
	},
}
