package causes

import "strings"

// startCauses are about a container that is not created, or that the runtime does not get to run.
var startCauses = []Cause{missingConfigMap, missingSecret, missingKey, runAsNonRoot, containerNameConflict, deviceMissing, badMountPath}

// missing is whether a message of a class is borne out: something of the kind that the container refers to is not known to be there.
// What was missing and is there now is explained by nothing: the kubelet is about to try again.
func missing(class Told, kind string, key bool) func(World, Pod) bool {
	return func(w World, p Pod) bool { return p.Told == class && len(lacking(w, p, kind, key)) > 0 }
}

// list names references: "ConfigMap web-settings", or "key url of Secret db".
func list(refs []Reference) string {
	var names []string
	for _, r := range refs {
		name := r.Kind + " " + r.Name
		if r.Key != "" {
			name = "key " + r.Key + " of " + name
		}
		names = append(names, name)
	}
	return strings.Join(names, " or ")
}

// tellMissing says what a container waits for. Only where it is known to be missing it is said without a doubt.
func tellMissing(w World, e Explained, kind string, key bool) string {
	refs := lacking(w, e.Pods[0], kind, key)
	says := "there is no " + list(refs)
	if _, known := w.References[refs[0]].Get(); !known {
		says = "the kubelet finds no " + list(refs)
	}
	return sentence("%s, which the environment of %s in %s is taken from", says, e.who(w), crowd(w, e.Count()))
}
