package checks

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func TestRolloutState(t *testing.T) {
	ended := steps(update, func(r *Rollout) { r.Old.Status = Status{Observed: true, Desired: 3, Updated: 3} })
	amid := steps(ended, func(r *Rollout) { r.Old.Status.Updated, r.Old.Status.Outdated = 1, 2 })
	unseen := func(r *Rollout) { r.Old.Status.Observed = false }
	paused := func(r *Rollout) { r.New.Paused = true }
	sameTemplate := func(r *Rollout) { r.New.Template = *r.Old.Template.DeepCopy() }
	ranBefore := func(r *Rollout) { r.World.Revisions = gate.Known([]Revision{{Hash: Hash(r.New.Template)}}) }
	underwayCheck.tell(t, []tale{
		{name: "a create has no rollout before it", change: paused},
		{name: "the one before has ended", change: ended},
		{name: "the one before is under way", change: amid, points: 10, nature: gate.Recent, text: "has not ended: 1 of 3 pods up to date, 2 of before left"},
		{name: "a size is no rollout", change: steps(amid, sameTemplate, func(r *Rollout) { r.New.Replicas = 9 })},
		{name: "going back is the way out", change: steps(amid, ranBefore)},
		{name: "what stopped by itself is told elsewhere", change: steps(amid, func(r *Rollout) { r.Old.Status.Stuck = "ProgressDeadlineExceeded" })},
		{name: "so is what fails", change: steps(amid, sick(waiting("CrashLoopBackOff")))},
		{name: "unknown pods change nothing", change: steps(amid, func(r *Rollout) { r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden") }),
			points: 10, nature: gate.Recent, text: "has not ended"},
		{name: "what is replaced by hand never ends", change: steps(amid, func(r *Rollout) { r.Old.OnDelete = true })},
		{name: "the controller is behind", change: steps(ended, unseen), points: 5, nature: gate.Recent, text: "has not seen the change before"},
		{name: "a new template while paused", change: steps(ended, paused), points: 5, nature: gate.Recent, text: "until it is resumed"},
		{name: "a pause with the template as it was", change: steps(ended, sameTemplate, paused)},
	})
}

func TestARolloutUnderWayRefusesNoCure(t *testing.T) {
	r := sound()
	update(&r)
	r.Old.Status = Status{Observed: true, Desired: 3, Updated: 1, Outdated: 2}
	strict := gate.Policy{Rails: []gate.Rail{{Name: "strict", Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(100),
		DenyBelow: gate.Known(100), ConfidenceBelow: gate.Known(0)}}}
	for name, tt := range map[string]struct {
		rollback, failing bool
		want              gate.Decision
	}{
		"neither":    {false, false, gate.Deny},
		"a rollback": {true, false, gate.Hold},
		"a cure":     {false, true, gate.Hold},
	} {
		facts := gate.Facts{Menu: menu, Rollback: gate.Known(tt.rollback), Failing: gate.Known(tt.failing)}
		if v := gate.Decide(strict, Assess(r, menu), facts); v.Decision != tt.want {
			t.Errorf("%s: %s, want %s: %+v", name, v.Decision, tt.want, v.Reasons)
		}
	}
}

func TestWhatIsOutdated(t *testing.T) {
	deployment := &appsv1.Deployment{Status: appsv1.DeploymentStatus{Replicas: 4, UpdatedReplicas: 1}}
	daemons := &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 5, CurrentNumberScheduled: 4, UpdatedNumberScheduled: 1}}
	set := func(partition, updated int32, revision string) *appsv1.StatefulSet {
		s := &appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{Replicas: 4, UpdatedReplicas: updated, CurrentRevision: "a", UpdateRevision: revision}}
		s.Spec.Replicas = ptr(int32(4))
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition}
		return s
	}
	for name, tt := range map[string]struct {
		w        Workload
		updated  int32
		outdated int32
	}{
		"a Deployment with pods of before":      {fromDeployment(deployment), 1, 3},
		"a Deployment from a file":              {fromDeployment(&appsv1.Deployment{}), 0, 0},
		"a DaemonSet with pods of before":       {fromDaemonSet(daemons), 1, 3},
		"a StatefulSet under way":               {fromStatefulSet(set(0, 1, "b")), 1, 3},
		"a StatefulSet that keeps some by will": {fromStatefulSet(set(3, 1, "b")), 1, 0},
		"a StatefulSet that is through":         {fromStatefulSet(set(0, 0, "a")), 0, 0},
	} {
		if s := tt.w.Status; s.Updated != tt.updated || s.Outdated != tt.outdated {
			t.Errorf("%s: %d updated, %d outdated; want %d and %d", name, s.Updated, s.Outdated, tt.updated, tt.outdated)
		}
	}
}
