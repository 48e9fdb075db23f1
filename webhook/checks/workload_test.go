package checks

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestFromObject(t *testing.T) {
	deployment := func(replicas *int32, kind appsv1.DeploymentStrategyType, surge, unavailable string) *appsv1.Deployment {
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: replicas, Strategy: appsv1.DeploymentStrategy{Type: kind}}}
		if surge != "" {
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: ptr(intstr.Parse(surge)), MaxUnavailable: ptr(intstr.Parse(unavailable))}
		}
		return d
	}
	stateful := &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr(int32(5)), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
		RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: ptr(intstr.Parse("10%")), Partition: ptr(int32(2))}}}}
	daemon := &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 10}}
	daemon.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: ptr(intstr.Parse("15%"))}
	for _, tt := range []struct {
		name                         string
		object                       runtime.Object
		replicas, surge, unavailable int32
	}{
		{"a Deployment's defaults are filled in", deployment(nil, "", "", ""), 1, 1, 0},
		{"surge is rounded up and unavailable down", deployment(ptr(int32(10)), "RollingUpdate", "25%", "25%"), 10, 3, 2},
		{"where rounding leaves neither, one may be unavailable", deployment(ptr(int32(3)), "RollingUpdate", "0", "10%"), 3, 0, 1},
		{"no more are unavailable than there are", deployment(ptr(int32(2)), "RollingUpdate", "1", "7"), 2, 1, 2},
		{"Recreate takes all", deployment(ptr(int32(4)), "Recreate", "", ""), 4, 0, 4},
		{"nonsense counts as zero", deployment(ptr(int32(4)), "RollingUpdate", "many", "1"), 4, 0, 1},
		{"a StatefulSet takes at least one", stateful, 5, 0, 1},
		{"a StatefulSet that is recreated takes all", &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: ptr(int32(5)),
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RecreateStatefulSetStrategyType}}}, 5, 0, 5},
		{"a DaemonSet rounds up", daemon, 10, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := FromObject(tt.object)
			if err != nil || w.Replicas != tt.replicas || w.MaxSurge != tt.surge || w.MaxUnavailable != tt.unavailable {
				t.Errorf("%d replicas, surge %d, unavailable %d, %v; want %d %d %d", w.Replicas, w.MaxSurge, w.MaxUnavailable, err,
					tt.replicas, tt.surge, tt.unavailable)
			}
		})
	}
	if _, err := FromObject(&corev1.ConfigMap{}); err == nil {
		t.Error("a ConfigMap is no workload")
	}
	if _, err := FromObject(nil); err == nil {
		t.Error("nothing is no workload")
	}
}

func TestAStuckDeploymentSaysSo(t *testing.T) {
	progressing := func(status corev1.ConditionStatus, reason string) appsv1.DeploymentCondition {
		return appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: status, Reason: reason, Message: "m"}
	}
	short := appsv1.DeploymentCondition{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionFalse, Reason: "MinimumReplicasUnavailable", Message: "m"}
	refused := appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "m"}
	for _, tt := range []struct {
		name       string
		conditions []appsv1.DeploymentCondition
		want       string
	}{
		{"the deadline has passed", []appsv1.DeploymentCondition{short, progressing("False", "ProgressDeadlineExceeded")}, "ProgressDeadlineExceeded: m"},
		{"pods are refused", []appsv1.DeploymentCondition{refused}, "FailedCreate: m"},
		{"pods are lost after the rollout", []appsv1.DeploymentCondition{short, progressing("True", "NewReplicaSetAvailable")}, "MinimumReplicasUnavailable: m"},
		{"pods are not there yet", []appsv1.DeploymentCondition{short, progressing("True", "ReplicaSetUpdated")}, ""},
		{"all is well", []appsv1.DeploymentCondition{progressing("True", "NewReplicaSetAvailable")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: tt.conditions}}
			if w, _ := FromObject(d); w.Status.Stuck != tt.want {
				t.Errorf("stuck %q, want %q", w.Status.Stuck, tt.want)
			}
		})
	}
}
