package drift

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// intentRules are data: each law is one line, and is tested by a change for which it holds and by its twin in one field, for
// which it does not.
var intentRules = []intentRule{
	{"failing-before", IntentEmergency, 30, "the workload failed in the hour before the change", []string{evidenceTroubles}, true,
		func(s scene) bool { return s.before(anyTrouble) }},
	{"healed-after", IntentEmergency, 30, "the workload failed before the change, and has not since", []string{evidenceTroubles}, true, scene.healed},
	{"memory-raised-after-out-of-memory", IntentEmergency, 40, "the workload ran out of memory, and was given more", []string{evidenceTroubles, evidenceLive}, true,
		func(s scene) bool { return s.before(outOfMemory) && s.any(memoryRaised) }},
	{"replicas-raised-while-failing", IntentEmergency, 30, "there are more replicas since the workload failed", []string{evidenceTroubles, evidenceLive}, true,
		func(s scene) bool { return s.before(anyTrouble) && s.any(replicasRaised) }},
	{"probe-relaxed-while-failing", IntentEmergency, 30, "a probe is more patient, or gone, since the workload failed", []string{evidenceTroubles, evidenceLive}, true,
		func(s scene) bool { return s.before(anyTrouble) && s.any(probeRelaxed) }},
	{"image-of-before", IntentEmergency, 50, "the image is one that Git said before", []string{evidenceGit, evidenceLive}, false,
		func(s scene) bool { return s.any(func(d Drift) bool { return imageOfBefore(d, s.older) }) }},
	{"delivery-suspended", IntentEmergency, 50, "the delivery of the object is suspended, as it is by somebody who wants a change to stay", []string{evidenceDelivery}, true,
		func(s scene) bool { suspended, _ := s.suspended.Get(); return suspended }},
	{"kept-from-delivery", IntentEmergency, 60, "it was made under the field manager that Flux leaves alone", []string{evidenceLive}, false,
		func(s scene) bool { return s.every(func(d Drift) bool { return d.Owner.Manager == fluxKeeps }) }},

	{"stale-file", IntentAccident, 60, "a file was applied that says in several fields what Git no longer said by then", []string{evidenceGit, evidenceLive}, false, staleFile},
	{"one-letter-off", IntentAccident, 50, "it differs from Git by one letter", []string{evidenceGit, evidenceLive}, false,
		func(s scene) bool { return s.any(oneLetterOff) }},
	{"scaled-to-zero", IntentAccident, 50, "nothing runs any more, and nothing is known to have gone wrong", []string{evidenceTroubles, evidenceLive}, false,
		func(s scene) bool { return s.quiet() && s.any(scaledToZero) }},
	{"limits-removed", IntentAccident, 40, "a limit that Git sets is gone", []string{evidenceGit, evidenceLive}, false,
		func(s scene) bool { return s.any(func(d Drift) bool { return d.Missing && d.within("limits") }) }},
	{"moving-tag", IntentAccident, 30, "the image has no tag of its own where Git names one", []string{evidenceGit, evidenceLive}, false,
		func(s scene) bool { return s.any(movingTag) }},
	{"labels-changed", IntentAccident, 30, "labels or a selector by which others find the pods are other ones", []string{evidenceGit, evidenceLive}, false,
		func(s scene) bool {
			return s.any(func(d Drift) bool { return d.within("labels") || d.within("selector") })
		}},

	{"debug-leftover", IntentExperiment, 70, "a container does nothing but wait, or brings tools for looking into a network", []string{evidenceLive}, false,
		func(s scene) bool { return s.any(debugLeftover) }},

	{"restarted", IntentRoutine, 90, "it was restarted, and nothing else", []string{evidenceLive}, false,
		func(s scene) bool { return s.every(func(d Drift) bool { return d.last() == restartedAt }) }},
	{"scaled", IntentRoutine, 40, "it was scaled, and nothing else", []string{evidenceLive}, false,
		func(s scene) bool { return s.every(scaled) }},

	{"security-weakened", "", 0, "it weakens what keeps the workload apart from others", []string{evidenceLive}, false,
		func(s scene) bool { return s.any(weakened) }},
}

// The ids of the evidence that the rules about intent rest on.
const (
	evidenceTroubles = "troubles"
	evidenceDelivery = "delivery"
)

const (
	fluxKeeps   = "flux-client-side-apply"
	restartedAt = "kubectl.kubernetes.io/restartedAt"
)

func (s scene) any(holds func(Drift) bool) bool { return slices.ContainsFunc(s.drifts, holds) }

func (s scene) every(holds func(Drift) bool) bool {
	return len(s.drifts) > 0 && !s.any(func(d Drift) bool { return !holds(d) })
}

// last is the last named field of a drift's path.
func (d Drift) last() string {
	names := d.Path.Fields()
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// within reports whether a drift is about a field of that name, or below one.
func (d Drift) within(field string) bool { return slices.Contains(d.Path.Fields(), field) }

// applied reports whether the owner applies files, as a person or a pipeline may.
func applied(o Owner) bool {
	return o.Manager == "kubectl-client-side-apply" || (o.Manager == "kubectl" && o.Operation == string(metav1.ManagedFieldsOperationApply))
}

func staleFile(s scene) bool {
	return len(s.drifts) > 1 && !s.since.IsZero() && s.every(func(d Drift) bool { return applied(d.Owner) && d.Owner.Time.After(s.since) })
}
