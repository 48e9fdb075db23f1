package checks

import (
	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The law: a rollout on top of one that still fails deserves a look, for it may bury the cause. The workload fails if its
// controller says that the rollout does not get on or has too few pods after it got through, or if pods of it crash, cannot
// pull, cannot be configured, find no node, or have not been ready for ten minutes. The change may well be the cure, so the finding never refuses it; and where pods could not be read, that is said.
var failingCheck = Check{
	ID: "still-failing", Title: "The workload is not failing already", Points: pointsStillFailing, Nature: gate.Recent,
	Law:  "The workload as it runs now is neither stuck in a rollout (ProgressDeadlineExceeded) nor short of available pods after one, and has no pods that crash, cannot pull their image, cannot be configured, find no node, or have not been ready for ten minutes.",
	look: lookFailing,
}

func lookFailing(r Rollout) Result {
	if r.Old == nil {
		return Result{}
	}
	if stuck := r.Old.Status.Stuck; stuck != "" {
		return Result{Findings: []gate.Finding{found(pointsStillFailing, gate.Recent, []string{EvidenceWorkload},
			"fails as it runs now: %s", stuck)}}
	}
	pods, known := r.World.Pods.Get()
	if !known {
		return Result{Unknown: []string{unread("Pods", r.World.Pods)}}
	}
	f := tally(r, pods)
	if f.Failing == 0 {
		return Result{}
	}
	return Result{Findings: []gate.Finding{found(pointsStillFailing, gate.Recent, []string{EvidenceWorkload, EvidencePods},
		"fails as it runs now: %d of %s, %s", f.Failing, plural(f.Pods, "pod"), f.mostly())}}
}

// Facts says whether the rollout returns to an earlier revision of the same workload, and whether the workload fails as it
// runs now. A create is neither. A restart, which has the template of the current revision, is no rollback.
func Facts(r Rollout) (rollback, failing gate.Fact[bool]) {
	if r.Old == nil {
		return gate.Known(false), gate.Known(false)
	}
	failing = gate.Known(r.Old.Status.Stuck != "")
	if r.Old.Status.Stuck == "" {
		if pods, known := r.World.Pods.Get(); known {
			failing = gate.Known(tally(r, pods).Failing > 0)
		} else {
			failing = gate.Unknown[bool](unread("Pods", r.World.Pods))
		}
	}
	return returns(r), failing
}

// returns says whether the update returns to an earlier revision. One that is not among those that were looked at may be
// among the older ones.
func returns(r Rollout) gate.Fact[bool] {
	if !TemplateChanged(r.Old, r.New) || TemplateHash(&r.New) == TemplateHash(r.Old) {
		return gate.Known(false)
	}
	if _, known := r.World.Revisions.Get(); !known {
		return gate.Unknown[bool](unread("earlier revisions", r.World.Revisions))
	}
	back := rolledOut(r)
	if !back && r.World.OlderRevisions > 0 {
		return gate.Unknown[bool](plural(r.World.OlderRevisions, "older revision") + " were not looked at")
	}
	return gate.Known(back)
}

// tally counts the workload's own pods.
func tally(r Rollout, pods []corev1.Pod) Failures {
	all := make([]*corev1.Pod, len(pods))
	for i := range pods {
		all[i] = &pods[i]
	}
	return count(all, r.World.At, unwell)
}
