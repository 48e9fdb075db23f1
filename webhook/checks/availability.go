package checks

import "moorgate.dev/internal/gate"

// The law: a rollout should leave somebody serving. Recreate, or a maxUnavailable that covers every replica, may take all
// pods down at once. With one replica that is a common choice (a volume that only one pod may hold), so it takes less.
// No replicas wanted is no failure. A StatefulSet with one pod has no other way and is left alone; so is whatever is
// replaced by hand (OnDelete), and whatever is not replaced at all: Jobs, CronJobs and bare Pods.
var availabilityCheck = Check{
	ID: "availability", Title: "Somebody keeps serving", Points: pointsAllDown, Nature: gate.Lasting,
	Law:  "The strategy never lets every pod be unavailable at once: no Recreate, and maxUnavailable below the replicas.",
	look: lookAvailability,
}

func lookAvailability(r Rollout) Result {
	w := r.New
	if w.Replicas <= 0 || w.Once || w.OnDelete || w.MaxUnavailable < w.Replicas {
		return Result{}
	}
	if w.Replicas == 1 && w.Ref.Kind != "Deployment" {
		return Result{}
	}
	points := pointsAllDown
	if w.Replicas == 1 {
		points = pointsOneDown
	}
	cites := []string{EvidenceWorkload}
	if w.Recreate {
		return Result{Findings: []gate.Finding{found(points, gate.Lasting, cites,
			"strategy Recreate takes down %s at once", everyone(w.Replicas))}}
	}
	return Result{Findings: []gate.Finding{found(points, gate.Lasting, cites,
		"maxUnavailable %d of %s may leave none serving", w.MaxUnavailable, plural(int(w.Replicas), "replica"))}}
}

func everyone(n int32) string {
	if n == 1 {
		return "the only replica"
	}
	return "all " + plural(int(n), "replica")
}
