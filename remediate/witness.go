package remediate

import (
	"regexp"
	"slices"
	"strings"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/remediate/causes"
)

// The law: what the scheduler says of a pod is a second witness. Names of others stand in its words (taints, claims), so it is read by
// whole phrases from a closed list and nothing of it is kept. A phrase that is not on the list says nothing; where none is, it is silent.

// maxMessage is how much of a status message is read, in bytes.
const maxMessage = 4096

// unplaced is how the scheduler begins, and the reasons that follow, until it goes on about preemption.
var unplaced = regexp.MustCompile(`^0/[0-9]{1,7} nodes are available: (.+)$`)

// counted is one reason: of how many nodes, and which.
var counted = regexp.MustCompile(`^(?:[0-9]{1,7} )?(.+)$`)

// phrases are what the reasons say, and the barriers that each may stand for.
var phrases = []struct {
	says *regexp.Regexp
	of   []fit.Barrier
}{
	{regexp.MustCompile(`^Insufficient cpu$`), []fit.Barrier{fit.CPU, fit.TooLarge, fit.Outranked}},
	{regexp.MustCompile(`^Insufficient memory$`), []fit.Barrier{fit.Memory, fit.TooLarge, fit.Outranked}},
	{regexp.MustCompile(`^Insufficient [a-z0-9./-]{1,320}$`), []fit.Barrier{fit.OtherRoom, fit.TooLarge, fit.Outranked}},
	{regexp.MustCompile(`^Too many pods$`), []fit.Barrier{fit.OtherRoom}},
	{regexp.MustCompile(`^node\(s\) had untolerated taint(\(s\)| \{.{1,400}\})$`), []fit.Barrier{fit.Taint, fit.Closed}},
	{regexp.MustCompile(`^node\(s\) were unschedulable$`), []fit.Barrier{fit.Closed}},
	{regexp.MustCompile(`^node\(s\) didn't match (Pod's node affinity/selector|the requested node name)$`), []fit.Barrier{fit.Selector}},
	{regexp.MustCompile(`^node\(s\) didn't have free ports for the requested pod ports$`), []fit.Barrier{fit.HostPort}},
	{regexp.MustCompile(`^node\(s\) (didn't match pod anti-affinity rules|didn't satisfy existing pods anti-affinity rules)$`), []fit.Barrier{fit.AntiAffinity}},
	{regexp.MustCompile(`^node\(s\) didn't match pod affinity rules$`), []fit.Barrier{fit.Affinity}},
	{regexp.MustCompile(`^node\(s\) didn't match pod topology spread constraints( \(missing required label\))?$`), []fit.Barrier{fit.Spread}},
	{regexp.MustCompile(`^node\(s\) (had volume node affinity conflict|didn't match PersistentVolume's node affinity|had no available volume zone)$`), []fit.Barrier{fit.VolumeZone}},
	{regexp.MustCompile(`^pod has unbound immediate PersistentVolumeClaims$`), []fit.Barrier{fit.Claims}},
	{regexp.MustCompile(`^persistentvolumeclaim "[a-z0-9.-]{1,253}" (not found|bound to non-existent persistentvolume "[a-z0-9.-]{0,253}"|is being deleted)$`), []fit.Barrier{fit.Claims}},
	{regexp.MustCompile(`^node\(s\) unavailable due to one or more pvc\(s\) bound to non-existent pv\(s\)$`), []fit.Barrier{fit.Claims}},
}

// barriers are what the scheduler says that keeps a pod off, as far as it is understood.
func barriers(message string) []fit.Barrier {
	if message == "no nodes available to schedule pods" {
		return []fit.Barrier{fit.NoNodes}
	}
	whole := unplaced.FindStringSubmatch(message[:min(len(message), maxMessage)])
	if whole == nil {
		return nil
	}
	var all []fit.Barrier
	reasons, _, _ := strings.Cut(whole[1], ". ")
	for reason := range strings.SplitSeq(strings.TrimSuffix(reasons, "."), ", ") {
		m := counted.FindStringSubmatch(reason)
		if m == nil {
			continue
		}
		for _, p := range phrases {
			if p.says.MatchString(m[1]) {
				all = append(all, p.of...)
				break
			}
		}
	}
	return all
}

// witness is whether the scheduler's word agrees with a barrier.
func witness(message string, b fit.Barrier) causes.Witness {
	switch says := barriers(message); {
	case len(says) == 0:
		return causes.Silent
	case slices.Contains(says, b):
		return causes.Agrees
	}
	return causes.Contradicts
}
