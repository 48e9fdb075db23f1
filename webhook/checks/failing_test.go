package checks

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// sick makes the first own pod's container say this.
func sick(s corev1.ContainerStatus) func(*Rollout) {
	return func(r *Rollout) {
		pods, _ := r.World.Pods.Get()
		pods[0].Status.ContainerStatuses = []corev1.ContainerStatus{s}
	}
}

func condition(c corev1.PodCondition) func(*Rollout) {
	return func(r *Rollout) {
		pods, _ := r.World.Pods.Get()
		pods[0].Status.Conditions = []corev1.PodCondition{c}
	}
}

func waiting(why string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: why}}}
}

func crashed(ago time.Duration, ready bool, why string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Ready: ready, RestartCount: 4, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: why,
			FinishedAt: metav1.NewTime(noon.Add(-ago))}}}
}

func TestFailing(t *testing.T) {
	stuck := func(r *Rollout) { r.Old.Status.Stuck = "ProgressDeadlineExceeded: ReplicaSet web-1 has timed out" }
	unknown := func(r *Rollout) { r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden") }
	failingCheck.tell(t, []tale{
		{name: "a create has no past", change: unknown},
		{name: "all pods run", change: update},
		{name: "the controller has given up", change: steps(update, stuck, unknown), points: 20, nature: gate.Recent, text: "ProgressDeadlineExceeded"},
		{name: "a pod crashes in a loop", change: steps(update, sick(waiting("CrashLoopBackOff"))), points: 20, nature: gate.Recent, text: "1 of 3 pods, mostly CrashLoopBackOff"},
		{name: "a pod that starts is not failing", change: steps(update, sick(waiting("ContainerCreating")))},
		{name: "between two crashes it still fails", change: steps(update, sick(crashed(time.Minute, false, "OOMKilled"))), points: 20, nature: gate.Recent, text: "OOMKilled"},
		{name: "a crash that is long past does not count", change: steps(update, sick(crashed(time.Hour, false, "OOMKilled")))},
		{name: "a container that became ready has recovered", change: steps(update, sick(crashed(time.Minute, true, "Error")))},
		{name: "a pod that no node takes", points: 20, nature: gate.Recent, text: "Unschedulable", change: steps(update, condition(
			corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}))},
		{name: "a pod that has not been ready for long", points: 20, nature: gate.Recent, text: "NotReady", change: steps(update, condition(
			corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(noon.Add(-time.Hour))}))},
		{name: "a pod that is not ready yet", change: steps(update, condition(
			corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(noon.Add(-time.Minute))}))},
		{name: "unknown pods", change: steps(update, unknown), unknown: "Pods: forbidden"},
	})
}

func TestFacts(t *testing.T) {
	history := func(of ...string) func(*Rollout) {
		return func(r *Rollout) {
			var all []Revision
			for _, image := range of {
				template := *r.New.Template.DeepCopy()
				template.Spec.Containers[0].Image = image
				template.Labels = map[string]string{"app": "web", "pod-template-hash": "x"}
				all = append(all, Revision{Hash: Hash(template)})
			}
			r.World.Revisions = gate.Known(all)
		}
	}
	old, new := "registry.example.com:5000/shop/web:1.3", "registry.example.com:5000/shop/web:1.4"
	yes, no, unknown := gate.Known(true), gate.Known(false), gate.Fact[bool]{}
	for _, tt := range []struct {
		name              string
		change            func(*Rollout)
		rollback, failing gate.Fact[bool]
	}{
		{"a create is neither", nil, no, no},
		{"a new template is no rollback", steps(update, history(old)), no, no},
		{"the template of an earlier revision is one", steps(update, history(new, old)), yes, no},
		{"a restart is none", steps(update, history(old), func(r *Rollout) {
			r.New.Template = *r.Old.Template.DeepCopy()
			r.New.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		}), no, no},
		{"a crash loop is a failure", steps(update, history(old), sick(waiting("CrashLoopBackOff"))), no, yes},
		{"unknown pods leave failing open", steps(update, history(old), func(r *Rollout) {
			r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden")
		}), no, unknown},
		{"unknown revisions leave rollback open", steps(update, func(r *Rollout) {
			r.World.Revisions = gate.Unknown[[]Revision]("forbidden")
		}), unknown, no},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sound()
			if tt.change != nil {
				tt.change(&r)
			}
			rollback, failing := Facts(r)
			for what, pair := range map[string][2]gate.Fact[bool]{"rollback": {rollback, tt.rollback}, "failing": {failing, tt.failing}} {
				got, gotKnown := pair[0].Get()
				want, wantKnown := pair[1].Get()
				if got != want || gotKnown != wantKnown {
					t.Errorf("%s is %v (known %v), want %v (known %v)", what, got, gotKnown, want, wantKnown)
				}
			}
		})
	}
}
