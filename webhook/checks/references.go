package checks

import (
	"cmp"
	"maps"
	"slices"

	"moorgate.dev/internal/gate"
)

// The law: what the new pods cannot start without should be there. Secrets, ConfigMaps and PersistentVolumeClaims that are
// missing leave pods waiting; a missing ServiceAccount keeps them from being made at all; a claim without its StorageClass
// is never bound. A key that a variable or a file is made of should be in its ConfigMap: without it the container is never
// made. What is marked optional does not count. Keys of Secrets are not looked at, and nothing is said of them.
//
// What is missing may merely not be there yet: tools apply in file order, operators make Secrets later, and a cache may lag.
// So every finding here is pending. What could not be looked up is named, and lowers the confidence.
var referencesCheck = Check{
	ID: Missing, Title: "What it refers to exists", Points: pointsReference, Nature: gate.Pending,
	Law:  "Every Secret, ConfigMap, ServiceAccount, PersistentVolumeClaim and StorageClass that the pods cannot start without exists, and so does every key of a ConfigMap that they name; keys of Secrets are not looked at. Optional references do not count. What is missing may not be there yet, so it refuses only with denyPending.",
	look: lookReferences,
}

// Missing is the ID of the findings about what is not there, and may come, whatever their nature.
const Missing = "references"

const referencesMax = 5 // findings that name one missing object each

func lookReferences(r Rollout) Result {
	refs := ReferencesOf(r.Old, r.New)
	kinds := []struct {
		kind, evidence string
		names          Names
		world          map[string]gate.Fact[bool]
	}{
		{"Secret", EvidenceSecrets, refs.Secrets, r.World.Secrets},
		{"ConfigMap", EvidenceConfigMaps, refs.ConfigMaps, r.World.ConfigMaps},
		{"ServiceAccount", EvidenceServiceAccounts, refs.ServiceAccounts, r.World.ServiceAccounts},
		{"PersistentVolumeClaim", EvidenceClaims, refs.Claims, r.World.Claims},
		{"StorageClass", EvidenceStorageClasses, refs.StorageClasses, r.World.StorageClasses},
	}
	var out lacking
	for _, k := range kinds {
		for _, n := range slices.Sorted(maps.Keys(k.names)) {
			out.see(k.kind+" "+name(n), k.world[n], missing(k.kind, n, k.names[n], k.evidence))
		}
	}
	out.keys(r, refs)
	if out.more > 0 {
		out.Findings = append(out.Findings, found(0, gate.Pending, []string{EvidenceWorkload}, "%s more that it refers to do not exist", plural(out.more, "object")))
	}
	return out.Result
}

// lacking is what a rollout refers to and does not find.
type lacking struct {
	Result
	more int // not told one by one
}

func (l *lacking) see(what string, fact gate.Fact[bool], otherwise gate.Finding) {
	there, known := fact.Get()
	switch {
	case !known:
		l.Unknown = append(l.Unknown, unread(what, fact))
	case there:
	case len(l.Findings) == referencesMax:
		l.more++
	default:
		l.Findings = append(l.Findings, otherwise)
	}
}

// keys looks for the keys of ConfigMaps that are there; of the others more is told than that.
func (l *lacking) keys(r Rollout, refs References) {
	byName := func(a, b Key) int { return cmp.Or(cmp.Compare(a.ConfigMap, b.ConfigMap), cmp.Compare(a.Name, b.Name)) }
	for _, k := range slices.SortedFunc(maps.Keys(refs.Keys), byName) {
		if there, _ := r.World.ConfigMaps[k.ConfigMap].Get(); there {
			l.see("key "+name(k.Name)+" of ConfigMap "+name(k.ConfigMap), r.World.ConfigMapKeys[k],
				found(pointsReference, gate.Pending, []string{EvidenceWorkload, EvidenceConfigMapKeys}, "ConfigMap %s has no key %s (%s)", name(k.ConfigMap), name(k.Name), name(refs.Keys[k])))
		}
	}
}

func missing(kind, called, where, evidence string) gate.Finding {
	cites := []string{EvidenceWorkload, evidence}
	switch {
	case called == "":
		return found(pointsReference, gate.Pending, cites, "there is no default StorageClass (%s)", name(where))
	case !Nameable(called):
		return found(pointsReference, gate.Pending, cites, "it refers to a %s by a name that none can have (%s)", kind, name(where))
	}
	return found(pointsReference, gate.Pending, cites, "%s %s does not exist (%s)", kind, name(called), name(where))
}
