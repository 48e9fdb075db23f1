package causes

import "moorgate.dev/internal/gate"

// The law: the runtime is told to pass a device to the container that the node does not have (CreateContainerError). The device comes
// from the manifest or from a device plugin that offered what is no longer there, so another node may have it.
var deviceMissing = Cause{
	Doc: gate.Doc{ID: "device-missing", Since: "v0.2", Title: "A device is not on the node",
		Text: "The runtime cannot pass a device to the container because the node does not have it (CreateContainerError)."},
	Symptoms: []Symptom{CannotStart, CrashLoop}, Points: 20, Sure: byMessage, Replaceable: true, Reversible: true,
	explains: told(toldDevice),
	tell: func(w World, e Explained) string {
		return sentence("%s is to get a device that is not there in %s%s", e.who(w), crowd(w, e.Count()), e.nodes())
	},
}
