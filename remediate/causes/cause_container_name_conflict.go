package causes

import "moorgate.dev/internal/gate"

// The law: the node's runtime still holds a container of this name for this pod, most often because an earlier attempt to create it
// took too long and was never cleared away (CreateContainerError). It is the runtime of that node that is at fault, or its disk
// that is slow, and nothing of the manifest. A pod in its place has another name, so it does better, on another node better still;
// the revision has nothing to do with it.
var containerNameConflict = Cause{
	Doc: gate.Doc{ID: "container-name-conflict", Since: "v0.2", Title: "The node's runtime still holds a container of that name",
		Text: "The runtime reserves the container's name for an earlier attempt that it never finished or cleared away (CreateContainerError): a matter of the node, not of the manifest."},
	Symptoms: []Symptom{CannotStart}, Points: 15, Sure: byMessage, Replaceable: true,
	explains: told(toldNameTaken),
	tell: func(w World, e Explained) string {
		return sentence("the runtime still holds another container by the name of %s in %s%s", e.who(w), crowd(w, e.Count()), e.nodes())
	},
}
