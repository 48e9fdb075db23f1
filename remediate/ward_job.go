package remediate

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// The law: a Job that gave up says so, and why, in its Failed condition; its pods are gone or ended by then. One that was started and
// has not made a single pod for a while is refused its pods. One that is suspended is neither. A Job belongs to its CronJob: that an
// earlier run failed is over once a later one succeeded, which the reading of it finds out.
var jobWard = ward{kind: batchv1.SchemeGroupVersion.WithKind("Job"), shows: []causes.Symptom{causes.JobFailed, causes.PodsRefused},
	one: func() client.Object { return &batchv1.Job{} }, list: func() client.ObjectList { return &batchv1.JobList{} },
	signs: jobSigns, conditions: func(o client.Object) (all []causes.Condition) {
		if j, ok := o.(*batchv1.Job); ok {
			for _, c := range j.Status.Conditions {
				all = append(all, condition(string(c.Type), string(c.Status), c.Reason, c.LastTransitionTime))
			}
		}
		return all
	}}

func jobSigns(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
	j, ok := o.(*batchv1.Job)
	if !ok || j.DeletionTimestamp != nil || j.Spec.Suspend != nil && *j.Spec.Suspend {
		return nil
	}
	if c := jobCondition(j, batchv1.JobFailed); c != nil {
		return []causes.Symptom{causes.JobFailed}
	}
	s := j.Status
	some := s.Active+s.Succeeded+s.Failed > 0 || s.Terminating != nil && *s.Terminating > 0
	if !some && s.CompletionTime == nil && s.StartTime != nil && now.Sub(s.StartTime.Time) >= patience {
		return []causes.Symptom{causes.PodsRefused}
	}
	return nil
}

func jobCondition(j *batchv1.Job, kind batchv1.JobConditionType) *batchv1.JobCondition {
	for i := range j.Status.Conditions {
		if c := &j.Status.Conditions[i]; c.Type == kind && c.Status == corev1.ConditionTrue {
			return c
		}
	}
	return nil
}
