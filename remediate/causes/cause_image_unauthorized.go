package causes

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// The law: the registry gives the image to nobody that it does not know, or not to these credentials (401, 403, pull access denied).
// Many registries say the same of an image that is not there, so that may be it too, and the sentence says which imagePullSecrets
// the pod names and which of them do not exist, as far as that may be asked. What stands in a Secret nobody here reads. It is told
// apart from a registry that does not answer, or that counts (a token that is refused with 429).
//
// Credentials are of a namespace, so what is refused is shared by the workloads of one, and by no others.
var imageUnauthorized = Cause{
	Doc: gate.Doc{ID: idUnauthorized, Since: "v0.2", Title: "The registry refuses the image to these credentials",
		Text: "The registry answers 401, 403 or access denied to the pull: a pull secret is missing, expired or for another registry, or the repository does not exist."},
	Symptoms: []Symptom{ImagePull}, Points: 20, Sure: byMessage, Reversible: true,
	explains: told(toldUnauthorized), cites: []string{EvidenceReferences},
	shares: ofAccess,
	tell: func(w World, e Explained) string {
		return sentence("%s: %s refuses %s to %s in %s", secretsOf(w, e.Pods[0]), e.registry(), e.image(), e.who(w), crowd(w, e.Count()))
	},
}

const idUnauthorized = "image-unauthorized"

// secretsOf says with what credentials a pod pulls.
func secretsOf(w World, p Pod) string {
	if len(p.Meant.PullSecrets) == 0 {
		return "no imagePullSecrets"
	}
	var missing []string
	for _, name := range p.Meant.PullSecrets {
		if there, known := w.References[Reference{Kind: "Secret", Name: name}].Get(); known && !there {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Sprintf("no such imagePullSecrets as %s", strings.Join(missing, ", "))
	}
	return "with the imagePullSecrets " + strings.Join(p.Meant.PullSecrets, ", ")
}
