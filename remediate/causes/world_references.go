package causes

// EvidenceReferences is what a container's environment, or the pull of its image, takes from elsewhere, and whether it is there.
const EvidenceReferences = "references"

// lacking are the references of a pod's container, of one kind, to a whole or to a key of it, that are not known to be there. Those
// that are known to be missing are all of them, where there are any.
func lacking(w World, p Pod, kind string, key bool) (missing []Reference) {
	var unknown []Reference
	for _, r := range p.Meant.References {
		if r.Kind != kind || key && r.Key == "" {
			continue
		}
		if !key {
			r.Key = ""
		}
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
