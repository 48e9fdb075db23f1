package causes

import "moorgate.dev/internal/gate"

// The law: the node cannot speak with the registry: its name does not resolve, nobody answers in time, a certificate is not
// trusted, or the registry answers that it is out of order (500 to 504). Whether the image is there nobody knows. Where it is one
// node alone, the node's network or trust is at fault and a pod elsewhere may do better; where it is every node, the registry is, and
// nothing from here helps.
var registryUnreachable = Cause{
	Doc: gate.Doc{ID: "registry-unreachable", Since: "v0.2", Title: "The registry cannot be reached",
		Text: "The node cannot speak with the registry: DNS, connection, time-out, TLS, or the registry answers with a server error. Whether the image exists is not known."},
	Symptoms: []Symptom{ImagePull}, Points: 20, Sure: byMessage, Replaceable: true,
	explains: told(toldUnreachable),
	shares:   ofRegistry,
	tell: func(w World, e Explained) string {
		return sentence("%s cannot be reached for %s of %s in %s%s", e.registry(), e.image(), e.who(w), crowd(w, e.Count()), e.nodes())
	},
}
