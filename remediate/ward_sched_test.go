package remediate

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// TestSignsOfWards shows what objects show by themselves, each beside one that differs in one fact.
func TestSignsOfWards(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	const patience = 2 * time.Minute
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	statusAt := func(d time.Duration) metav1.ObjectMeta {
		at := ago(d)
		return metav1.ObjectMeta{CreationTimestamp: ago(24 * time.Hour), ManagedFields: []metav1.ManagedFieldsEntry{{Subresource: "status", Time: &at}}}
	}
	statefulSet := func(still time.Duration, change func(*appsv1.StatefulSet)) client.Object {
		s := &appsv1.StatefulSet{ObjectMeta: statusAt(still), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))},
			Status: appsv1.StatefulSetStatus{Replicas: 3, ReadyReplicas: 3, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}}
		change(s)
		return s
	}
	daemonSet := func(still time.Duration, current, updated int32) client.Object {
		return &appsv1.DaemonSet{ObjectMeta: statusAt(still), Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 3, CurrentNumberScheduled: current, UpdatedNumberScheduled: updated}}
	}
	deployment := func(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason string) client.Object {
		return &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{Type: kind, Status: status, Reason: reason}}}}
	}
	job := func(started time.Duration, change func(*batchv1.Job)) client.Object {
		at := ago(started)
		j := &batchv1.Job{Status: batchv1.JobStatus{StartTime: &at}}
		change(j)
		return j
	}
	slice := func(still time.Duration, change func(*discoveryv1.EndpointSlice)) client.Object {
		at := ago(still)
		s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Time: &at}}}, Ports: []discoveryv1.EndpointPort{{Port: new(int32(80))}}}
		change(s)
		return s
	}
	endpoint := func(ready bool) func(*discoveryv1.EndpointSlice) {
		return func(s *discoveryv1.EndpointSlice) {
			s.Endpoints = []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: &ready}}}
		}
	}
	budget := func(since time.Duration, allowed, healthy, pods int32) client.Object {
		return &policyv1.PodDisruptionBudget{Status: policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed, DesiredHealthy: healthy, ExpectedPods: pods,
			Conditions: []metav1.Condition{{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, LastTransitionTime: ago(since)}}}}
	}
	for name, c := range map[string]struct {
		ward ward
		o    client.Object
		want causes.Symptom
	}{
		"a Deployment past its deadline": {rolloutWards[0], deployment(appsv1.DeploymentProgressing, corev1.ConditionFalse, "ProgressDeadlineExceeded"), causes.RolloutStuck},
		"a Deployment that rolls out":    {rolloutWards[0], deployment(appsv1.DeploymentProgressing, corev1.ConditionTrue, "ReplicaSetUpdated"), ""},
		"a Deployment whose pods fail":   {rolloutWards[0], deployment(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "FailedCreate"), causes.PodsRefused},
		"a Deployment not looked at yet": {rolloutWards[0], func() client.Object {
			d := deployment(appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "x")
			d.SetGeneration(2)
			return d
		}(), ""},
		"a StatefulSet that stands still": {rolloutWards[1], statefulSet(11*time.Minute, func(*appsv1.StatefulSet) {}), causes.RolloutStuck},
		"a StatefulSet that moved":        {rolloutWards[1], statefulSet(9*time.Minute, func(*appsv1.StatefulSet) {}), ""},
		"a StatefulSet behind a partition": {rolloutWards[1], statefulSet(time.Hour, func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
		}), ""},
		"a StatefulSet by hand":            {rolloutWards[1], statefulSet(time.Hour, func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }), ""},
		"a StatefulSet that lacks pods":    {rolloutWards[1], statefulSet(3*time.Minute, func(s *appsv1.StatefulSet) { s.Status.Replicas, s.Status.ReadyReplicas = 2, 2 }), causes.PodsRefused},
		"a StatefulSet that waits for one": {rolloutWards[1], statefulSet(3*time.Minute, func(s *appsv1.StatefulSet) { s.Status.Replicas, s.Status.ReadyReplicas = 2, 1 }), ""},
		"a DaemonSet that lacks pods":      {rolloutWards[2], daemonSet(3*time.Minute, 2, 2), causes.PodsRefused},
		"a DaemonSet that stands still":    {rolloutWards[2], daemonSet(11*time.Minute, 3, 2), causes.RolloutStuck},
		"a DaemonSet that is done":         {rolloutWards[2], daemonSet(time.Hour, 3, 3), ""},
		"a Job that failed": {jobWard, job(time.Hour, func(j *batchv1.Job) {
			j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}
		}), causes.JobFailed},
		"a Job that is done":                 {jobWard, job(time.Hour, func(j *batchv1.Job) { j.Status.Succeeded = 1 }), ""},
		"a Job without a pod":                {jobWard, job(3*time.Minute, func(*batchv1.Job) {}), causes.PodsRefused},
		"a Job that began":                   {jobWard, job(time.Minute, func(*batchv1.Job) {}), ""},
		"a slice without anybody":            {sliceWard, slice(3*time.Minute, func(*discoveryv1.EndpointSlice) {}), causes.NoEndpoints},
		"a slice that changed":               {sliceWard, slice(time.Minute, func(*discoveryv1.EndpointSlice) {}), ""},
		"a slice of who is not ready":        {sliceWard, slice(time.Hour, endpoint(false)), causes.NoEndpoints},
		"a slice of who is ready":            {sliceWard, slice(time.Hour, endpoint(true)), ""},
		"a slice without a port":             {sliceWard, slice(time.Hour, func(s *discoveryv1.EndpointSlice) { endpoint(true)(s); s.Ports = nil }), causes.NoEndpoints},
		"a slice of somebody's own":          {sliceWard, slice(time.Hour, func(s *discoveryv1.EndpointSlice) { s.Labels = nil }), ""},
		"a slice of a headless Service":      {sliceWard, slice(time.Hour, func(s *discoveryv1.EndpointSlice) { s.Labels[corev1.IsHeadlessService] = "" }), ""},
		"a budget that asks for all":         {budgetWard, budget(3*time.Minute, 0, 2, 2), causes.DisruptionStuck},
		"a budget of a moment ago":           {budgetWard, budget(time.Minute, 0, 2, 2), ""},
		"a budget that allows none now":      {budgetWard, budget(time.Hour, 0, 1, 2), ""},
		"a budget without pods":              {budgetWard, budget(time.Hour, 0, 0, 0), ""},
		"a claim that waits":                 {claimWard, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: ago(time.Hour)}, Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}}, causes.ClaimPending},
		"a claim that is bound":              {claimWard, &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}}, ""},
		"an object of another kind than its": {budgetWard, &corev1.Pod{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.ward.signs(c.o, now, patience)
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Equal(got, []causes.Symptom{c.want}) {
				t.Errorf("it shows %v", got)
			}
			if slices.ContainsFunc(got, func(s causes.Symptom) bool { return !slices.Contains(c.ward.shows, s) }) {
				t.Errorf("%v is not what it is said to show", got)
			}
			c.o.SetDeletionTimestamp(&metav1.Time{Time: now})
			if got := c.ward.signs(c.o, now, patience); len(got) > 0 {
				t.Errorf("what goes away shows %v", got)
			}
		})
	}
}
