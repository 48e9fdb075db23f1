package causes

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string, since time.Duration) corev1.PodCondition {
	return corev1.PodCondition{Type: kind, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(noon.Add(-since))}
}

func TestSigns(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	placed := condition(corev1.PodScheduled, corev1.ConditionTrue, "", settle)
	app := func(s corev1.ContainerStatus) corev1.PodStatus {
		s.Name = "app"
		return corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{placed}, ContainerStatuses: []corev1.ContainerStatus{s}}
	}
	initially := func(s corev1.ContainerStatus) corev1.PodStatus {
		status := app(corev1.ContainerStatus{State: waiting("PodInitializing")})
		s.Name = "setup"
		status.InitContainerStatuses = []corev1.ContainerStatus{s}
		return status
	}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   []Sign
	}{
		"crash-loops":                              {app(corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(1, "Error"), RestartCount: 3}), []Sign{{CrashLoop, "app"}}},
		"finishes over and over":                   {app(corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(0, "Completed"), RestartCount: 3}), nil},
		"waits for an image that does not come":    {app(corev1.ContainerStatus{State: waiting("ImagePullBackOff")}), []Sign{{ImagePull, "app"}}},
		"failed to pull, and had the time":         {app(corev1.ContainerStatus{State: waiting("ErrImagePull")}), []Sign{{ImagePull, "app"}}},
		"lacks what its manifest names":            {app(corev1.ContainerStatus{State: waiting("CreateContainerConfigError")}), []Sign{{CannotStart, "app"}}},
		"runs and is not ready":                    {app(corev1.ContainerStatus{State: runs(settle)}), []Sign{{NotReady, "app"}}},
		"runs since a moment and is not ready":     {app(corev1.ContainerStatus{State: runs(time.Second)}), nil},
		"crashed, and runs since a moment":         {app(corev1.ContainerStatus{State: runs(time.Second), LastTerminationState: ended(1, "Error"), RestartCount: 1}), nil},
		"is well":                                  {app(corev1.ContainerStatus{State: runs(settle), Ready: true}), nil},
		"an init container does not end":           {initially(corev1.ContainerStatus{State: runs(settle)}), []Sign{{InitStuck, "setup"}}},
		"an init container runs since a moment":    {initially(corev1.ContainerStatus{State: runs(time.Second)}), nil},
		"an init container crash-loops":            {initially(corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(1, "Error"), RestartCount: 3}), []Sign{{CrashLoop, "setup"}}},
		"nothing begins":                           {app(corev1.ContainerStatus{State: waiting("ContainerCreating")}), []Sign{{Symptom: NotStarting}}},
		"nothing is known of its containers":       {corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{placed}}, []Sign{{Symptom: NotStarting}}},
		"no node takes it":                         {corev1.PodStatus{Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable, settle)}}, []Sign{{Symptom: Unschedulable}}},
		"no node takes it yet":                     {corev1.PodStatus{Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonUnschedulable, time.Second)}}, nil},
		"somebody holds it back from being placed": {corev1.PodStatus{Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonSchedulingGated, time.Hour)}}, nil},
		"says nothing at all":                      {corev1.PodStatus{}, nil},
		"ended":                                    {corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: waiting("ImagePullBackOff")}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Status: c.status}
			if got := Signs(pod, noon, settle); !slices.Equal(got, c.want) {
				t.Errorf("the signs are %v, want %v", got, c.want)
			}
			pod.DeletionTimestamp = &metav1.Time{Time: noon}
			if got := Signs(pod, noon, settle); got != nil {
				t.Errorf("on its way out the signs are %v", got)
			}
		})
	}

	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		want   []Sign
	}{
		"its image is being pulled": {func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, condition(corev1.PodReadyToStartContainers, corev1.ConditionTrue, "", settle))
		}, nil},
		"it has its node since a moment": {func(p *corev1.Pod) { p.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon) }, nil},
		"a sidecar is not ready": {func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "proxy", RestartPolicy: &always}}
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "proxy", State: runs(settle)}}
		}, []Sign{{NotReady, "proxy"}}},
	} {
		t.Run("nothing begins, but "+name, func(t *testing.T) {
			pod := &corev1.Pod{Status: app(corev1.ContainerStatus{State: waiting("ContainerCreating")})}
			c.change(pod)
			if got := Signs(pod, noon, settle); !slices.Equal(got, c.want) {
				t.Errorf("the signs are %v, want %v", got, c.want)
			}
		})
	}
}

func TestStatesOfOtherSymptoms(t *testing.T) {
	pull := Sign{ImagePull, "app"}
	scheduled := func(since time.Duration) []corev1.PodCondition {
		return []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionTrue, "", since), condition(corev1.PodReady, corev1.ConditionTrue, "", since)}
	}
	for name, c := range map[string]struct {
		status corev1.ContainerStatus
		want   State
	}{
		"shows it":                 {corev1.ContainerStatus{State: waiting("ImagePullBackOff")}, Stuck},
		"is about to begin":        {corev1.ContainerStatus{State: waiting("ContainerCreating")}, Unsure},
		"runs since a moment":      {corev1.ContainerStatus{State: runs(time.Second), Ready: true}, Unsure},
		"is well":                  {corev1.ContainerStatus{State: runs(settle), Ready: true}, Well},
		"fares badly in other way": {corev1.ContainerStatus{State: waiting("CrashLoopBackOff"), LastTerminationState: ended(1, "Error"), RestartCount: 2}, Unwell},
	} {
		t.Run(name, func(t *testing.T) {
			c.status.Name = "app"
			pod := &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: scheduled(time.Second), ContainerStatuses: []corev1.ContainerStatus{c.status}}}
			if got := PodOf(pod, pull, noon, settle).State; got != c.want {
				t.Errorf("the state is %q, want %q", got, c.want)
			}
		})
	}
}

func TestEverySymptomIsSaid(t *testing.T) {
	for s, is := range symptoms {
		if is.says == "" || is.container && !is.pod {
			t.Errorf("the symptom %s is %+v", s, is)
		}
	}
}
