package checks

import (
	"slices"

	"moorgate.dev/internal/gate"
)

// The law: a change says what it dares. A new image is what rollouts are for and is no finding; what is told is whatever else
// changes that has a name for going wrong: other pods are selected, more of them may be away at once, a probe is gone, memory
// is a tenth of what it was, the image comes from elsewhere or from before, another command runs, an environment variable or
// a mount is gone, the pod may do more to its node. Each class is told once, with names and numbers and never with values,
// and takes little; several at once add up.
//
// Going back to an earlier revision undoes what was dared, so there only what is outside of the template counts. A create
// has nothing to be compared with. Containers are compared by name; a pod of one container has the same one whatever it is
// called.
var riskCheck = Check{
	ID: "change-risk", Title: "The change dares little at once", Points: pointsRisk, Nature: gate.Lasting,
	Law:  "Besides its image, an update changes nothing that often goes wrong: selector, strategy, probes, resources by a factor, where the image comes from, command, variables and mounts that are gone, rights. A return to an earlier revision is left alone.",
	look: lookRisk,
}

// The classes of change. They are a closed list: others may count on these words.
const (
	classNew        = "new"      // a create
	classImage      = "image"    // another image; of itself no risk
	classScale      = "scale"    // more or fewer pods; of itself no risk
	classOther      = "other"    // anything of the template that has no class
	classSelector   = "selector" // other pods are its own
	classStrategy   = "strategy" // more pods may be away at once
	classProbe      = "probe-removed"
	classDown       = "resources-down"
	classUp         = "resources-up"
	classElsewhere  = "image-elsewhere"
	classOlder      = "image-older"
	classMajor      = "image-major"
	classCommand    = "command"
	classEnv        = "env-removed"
	classVolume     = "volume-removed"
	classSecurity   = "security-loosened"
	classContainers = "containers" // containers come or go; of itself no risk
)

// risk is one class of change that dares something.
type risk struct {
	class  string
	points int
	text   string
}

func lookRisk(r Rollout) Result {
	if r.Old == nil {
		return Result{}
	}
	dared := outside(r.Old, &r.New)
	if back, _ := returns(r).Get(); !back {
		dared = append(dared, inside(r.Old, &r.New)...)
	}
	var out Result
	for _, d := range dared {
		out.Findings = append(out.Findings, found(d.points, gate.Lasting, []string{EvidenceWorkload}, "%s", d.text))
	}
	return out
}

// Classes names what kinds of change the rollout makes, in a closed list of words, for whoever must be told shortly.
func Classes(r Rollout) []string {
	if r.Old == nil {
		return []string{classNew}
	}
	var all []string
	for _, d := range append(outside(r.Old, &r.New), inside(r.Old, &r.New)...) {
		all = append(all, d.class)
	}
	if r.Old.Replicas != r.New.Replicas {
		all = append(all, classScale)
	}
	pairs, uneven := paired(r.Old, &r.New)
	if uneven {
		all = append(all, classContainers)
	}
	if slices.ContainsFunc(pairs, func(p pair) bool { return p.old.Image != p.new.Image }) {
		all = append(all, classImage)
	}
	if len(all) == 0 && TemplateChanged(r.Old, r.New) {
		all = append(all, classOther)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// outside is what is dared beside the template.
func outside(old, new *Workload) []risk {
	var out []risk
	if old.Selector != nil && new.Selector != nil && !sameSelector(old.Selector, new.Selector) {
		out = append(out, risk{classSelector, pointsRiskHigh, "the selector changes: pods that it has now may be left behind"})
	}
	if text := loosened(old, new); text != "" {
		out = append(out, risk{classStrategy, pointsRiskLow, text})
	}
	return out
}

// inside is what is dared by the template.
func inside(old, new *Workload) []risk {
	pairs, _ := paired(old, new)
	out := resized(pairs)
	out = append(out, imaged(pairs)...)
	for _, c := range []struct {
		class  string
		points int
		text   string
		names  []string
	}{
		{classProbe, pointsRiskMiddle, "probe removed: ", probesRemoved(pairs)},
		{classCommand, pointsRiskLow, "another command or other arguments: ", recommanded(pairs)},
		{classEnv, pointsRiskLow, "environment variables removed: ", envRemoved(pairs)},
		{classVolume, pointsRiskLow, "no longer mounted: ", unmounted(pairs)},
		{classSecurity, pointsRiskHigh, "more rights: ", gained(old, new, pairs)},
	} {
		if len(c.names) > 0 {
			out = append(out, risk{c.class, c.points, c.text + names(c.names)})
		}
	}
	return out
}
