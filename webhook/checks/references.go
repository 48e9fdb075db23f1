package checks

import (
	"maps"
	"slices"

	"moorgate.dev/internal/gate"
)

// The law: what the new pods cannot start without should be there. Secrets, ConfigMaps and PersistentVolumeClaims that are
// missing leave pods waiting; a missing ServiceAccount keeps them from being made at all; a claim without its StorageClass
// is never bound. What is marked optional does not count.
//
// What is missing may merely not be there yet: tools apply in file order, operators make Secrets later, and a cache may lag.
// So every finding here is pending. What could not be looked up is named, and lowers the confidence.
var referencesCheck = Check{
	ID: Missing, Title: "What it refers to exists", Points: pointsReference, Nature: gate.Pending,
	Law:  "Every Secret, ConfigMap, ServiceAccount, PersistentVolumeClaim and StorageClass that the pods cannot start without exists. Optional references do not count. What is missing may not be there yet, so it refuses only with denyPending.",
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
	var out Result
	more := 0
	for _, k := range kinds {
		for _, n := range slices.Sorted(maps.Keys(k.names)) {
			there, known := k.world[n].Get()
			switch {
			case !known:
				out.Unknown = append(out.Unknown, unread(k.kind+" "+name(n), k.world[n]))
			case there:
			case len(out.Findings) == referencesMax:
				more++
			default:
				out.Findings = append(out.Findings, missing(k.kind, n, k.names[n], k.evidence))
			}
		}
	}
	if more > 0 {
		out.Findings = append(out.Findings, found(0, gate.Pending, []string{EvidenceWorkload}, "%s more that it refers to do not exist", plural(more, "object")))
	}
	return out
}

func missing(kind, called, where, evidence string) gate.Finding {
	cites := []string{EvidenceWorkload, evidence}
	if called == "" {
		return found(pointsReference, gate.Pending, cites, "there is no default StorageClass (%s)", name(where))
	}
	return found(pointsReference, gate.Pending, cites, "%s %s does not exist (%s)", kind, name(called), name(where))
}
