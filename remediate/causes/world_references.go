package causes

import "slices"

// EvidenceReferences is what a container's environment, or the pull of its image, takes from elsewhere, and whether it is there.
const EvidenceReferences = "references"

// Asked are the references on which it depends why a pod does not come up: those of the kind of which the kubelet says that one is
// missing, or that it pulls its image with.
func (p Pod) Asked() (refs []Reference) {
	switch p.Told {
	case toldUnauthorized:
		for _, name := range p.Meant.PullSecrets {
			refs = append(refs, Reference{Kind: "Secret", Name: name})
		}
	case toldNoConfigMap:
		return p.Meant.of("ConfigMap", false)
	case toldNoSecret:
		return p.Meant.of("Secret", false)
	case toldNoConfigMapKey, toldNoSecretKey:
		return p.Meant.of(keyOf(p.Told), true)
	}
	return refs
}

// of are the references to objects of a kind, or to single keys of them, each once.
func (m Meant) of(kind string, keys bool) (refs []Reference) {
	for _, r := range m.References {
		if !keys {
			r.Key = ""
		}
		if r.Kind == kind && (r.Key != "") == keys && !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	return refs
}

// lacking are the references of a pod's container, of one kind, to a whole or to a key of it, that are not known to be there. Those
// that are known to be missing are all of them, where there are any.
func lacking(w World, p Pod, kind string, key bool) (missing []Reference) {
	var unknown []Reference
	for _, r := range p.Meant.of(kind, key) {
		there, known := w.References[r].Get()
		switch {
		case !known:
			unknown = append(unknown, r)
		case !there:
			missing = append(missing, r)
		}
	}
	if len(missing) > 0 {
		return missing
	}
	return unknown
}
