package checks

import "moorgate.dev/internal/gate"

// The law: one rollout after the other. Where the one before has not ended, old, newer and newest pods run side by side, and
// what goes wrong then is nobody's in particular. The same where the controller has not even seen the change before: nobody
// knows yet what came of it. And what is changed while the workload is paused comes to nothing until somebody resumes it,
// together with all else that was changed meanwhile.
//
// Only a change of the template counts: a size is no rollout. What has stopped by itself, or whose pods fail, is
// `still-failing` and takes no points here, for the next rollout may well be its cure; nor does going back to an earlier
// revision, which is the way out of a rollout that does not get on. What is replaced by hand never ends, and so is left alone.
var underwayCheck = Check{
	ID: "rollout-state", Title: "The rollout before has ended", Points: pointsUnderway, Nature: gate.Recent,
	Law:  "The template changes when the rollout before has ended and its controller has seen it, and not while the workload is paused. A workload that fails, and a return to an earlier revision, are left alone.",
	look: lookUnderway,
}

func lookUnderway(r Rollout) Result {
	if r.Old == nil || !TemplateChanged(r.Old, r.New) {
		return Result{}
	}
	back, failing := Facts(r)
	if is, _ := back.Get(); is {
		return Result{}
	}
	cites := []string{EvidenceWorkload}
	was := r.Old.Status
	fails, _ := failing.Get()
	switch {
	case r.New.Paused:
		return Result{Findings: []gate.Finding{found(pointsPaused, gate.Recent, cites,
			"it is paused: nothing of this rolls out until it is resumed")}}
	case fails || r.Old.OnDelete:
	case !was.Observed:
		return Result{Findings: []gate.Finding{found(pointsUnseen, gate.Recent, cites,
			"its controller has not seen the change before this one yet")}}
	case was.Outdated > 0:
		return Result{Findings: []gate.Finding{found(pointsUnderway, gate.Recent, cites,
			"the rollout before has not ended: %d of %s up to date, %d of before left", was.Updated, plural(int(was.Desired), "pod"), was.Outdated)}}
	}
	return Result{}
}
