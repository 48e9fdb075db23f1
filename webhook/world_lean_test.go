package webhook

import (
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// TestALeanPodAnswersAsAWholeOne shows that what the checks ask about a pod that exists is kept, and that its length is not.
func TestALeanPodAnswersAsAWholeOne(t *testing.T) {
	var lean Lean
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(*corev1.Pod){
		"runs": func(*corev1.Pod) {},
		"was killed for its memory": func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
		},
		"crashed, and runs again": func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].Ready, p.Status.ContainerStatuses[0].RestartCount = false, 4
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1, FinishedAt: metav1.NewTime(now.Add(-time.Minute))}
		},
		"is taken by no node": func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "long"})
		},
		"has not been ready for long": func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))})
		},
		"waits in an init container": func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "init", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}
		},
		"has a sidecar and overhead": func(p *corev1.Pod) {
			p.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
			p.Spec.Overhead = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole := wholePod()
			change(whole)
			pod := whole.DeepCopy()
			if _, err := lean.Trim(pod); err != nil {
				t.Fatal(err)
			}
			if got, want := fit.Requests(pod), fit.Requests(whole); !sameRequests(got, want) {
				t.Errorf("asks for %v in place of %v", got, want)
			}
			if got, want := checks.FailureOf(pod, now), checks.FailureOf(whole, now); got != want {
				t.Errorf("fails with %q in place of %q", got, want)
			}
			failing := func(p *corev1.Pod) bool {
				r := checks.Rollout{Old: &checks.Workload{}, World: checks.World{At: now, Pods: gate.Known([]corev1.Pod{*p})}}
				_, fails := checks.Facts(r)
				return fails == gate.Known(true)
			}
			if got, want := failing(pod), failing(whole); got != want || want != (name != "runs" && name != "has a sidecar and overhead") {
				t.Errorf("failing %t in place of %t", got, want)
			}
			if got, want := checks.FailedContainers(pod, now), checks.FailedContainers(whole, now); !reflect.DeepEqual(got, want) {
				t.Errorf("has failed as %v in place of %v", got, want)
			}
			if !reflect.DeepEqual(pod.Labels, whole.Labels) || !reflect.DeepEqual(pod.OwnerReferences, whole.OwnerReferences) || pod.Spec.NodeName != whole.Spec.NodeName {
				t.Errorf("is another: %v", pod)
			}
			if pod.Spec.Volumes != nil || pod.Spec.Containers[0].Env != nil || pod.Annotations != nil {
				t.Errorf("is as long as before: %v", pod)
			}
		})
	}
}

// TestPodsThatAskForTheSameShareIt shows that thousands of pods alike hold one list of resources.
func TestPodsThatAskForTheSameShareIt(t *testing.T) {
	var lean Lean
	pods := [2]*corev1.Pod{wholePod(), wholePod()}
	for _, p := range pods {
		if _, err := lean.Trim(p); err != nil {
			t.Fatal(err)
		}
	}
	list := func(p *corev1.Pod) uintptr { return reflect.ValueOf(p.Spec.Containers[0].Resources.Requests).Pointer() }
	if list(pods[0]) != list(pods[1]) {
		t.Error("each has its own")
	}
}

func wholePod() *corev1.Pod {
	asks := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"long": "text"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", UID: "1", Controller: new(true)}}},
		Spec: corev1.PodSpec{NodeName: "node-1", Volumes: []corev1.Volume{{Name: "token"}},
			InitContainers: []corev1.Container{{Name: "init", Image: "init:1", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}}},
			Containers: []corev1.Container{{Name: "app", Image: "app:1", Env: []corev1.EnvVar{{Name: "A", Value: "B"}},
				Resources: corev1.ResourceRequirements{Requests: asks}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "app:1", ImageID: "app@sha256:1",
			ContainerID: "containerd://1", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}},
	}
}

// TestLeanDependenciesAnswerAsWholeOnes shows that of what a rollout depends on the same is told.
func TestLeanDependenciesAnswerAsWholeOnes(t *testing.T) {
	var lean Lean
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: name}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "long"}}}
	}
	endpoint := func(ready *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ready}}
	}
	whole, slim := []client.Object{
		&appsv1.Deployment{ObjectMeta: meta("up"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(2))}, Status: appsv1.DeploymentStatus{Replicas: 2, ReadyReplicas: 1}},
		&appsv1.Deployment{ObjectMeta: meta("asleep"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}},
		&appsv1.StatefulSet{ObjectMeta: meta("down"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2))}},
		&appsv1.StatefulSet{ObjectMeta: meta("well"), Status: appsv1.StatefulSetStatus{ReadyReplicas: 1}},
		&discoveryv1.EndpointSlice{ObjectMeta: meta("ready"), Endpoints: []discoveryv1.Endpoint{endpoint(new(false)), endpoint(new(true))}},
		&discoveryv1.EndpointSlice{ObjectMeta: meta("unknown"), Endpoints: []discoveryv1.Endpoint{endpoint(nil)}},
		&discoveryv1.EndpointSlice{ObjectMeta: meta("unready"), Endpoints: []discoveryv1.Endpoint{endpoint(new(false))}},
		&discoveryv1.EndpointSlice{ObjectMeta: meta("empty")},
	}, []client.Object{}
	needs := []checks.Dependency{{Kind: checks.DependDeployment, Namespace: "shop", Name: "up"}, {Kind: checks.DependDeployment, Namespace: "shop", Name: "asleep"},
		{Kind: checks.DependStatefulSet, Namespace: "shop", Name: "down"}, {Kind: checks.DependStatefulSet, Namespace: "shop", Name: "well"}}
	for _, o := range whole {
		copied := o.DeepCopyObject().(client.Object)
		if _, err := lean.Trim(copied); err != nil {
			t.Fatal(err)
		}
		if slim = append(slim, copied); copied.GetManagedFields() != nil {
			t.Errorf("%s is as long as before", o.GetName())
		}
		if _, is := o.(*discoveryv1.EndpointSlice); is {
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: o.GetName()}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "x"}}}
			whole, slim = append(whole, service), append(slim, service)
			needs = append(needs, checks.Dependency{Kind: checks.DependService, Namespace: "shop", Name: o.GetName()})
		}
	}
	health := func(objects []client.Object) (all []gate.Fact[checks.Health]) {
		d := dependencies{World: World{Reader: &shelf{scheme: testScheme(t), objects: objects}}, ctx: t.Context(), ready: map[string]gate.Fact[map[string]bool]{}}
		for _, need := range needs {
			all = append(all, d.health("shop", need))
		}
		return all
	}
	if got, want := health(slim), health(whole); !reflect.DeepEqual(got, want) {
		t.Errorf("of what is slim it is told\n%+v\nand of the whole\n%+v", got, want)
	}
}

// TestALeanCaseTellsWhatAWholeOneDoes shows that the same is remembered of how something ended, that what was heard of a model is kept
// whole, and that of all else nothing is.
func TestALeanCaseTellsWhatAWholeOneDoes(t *testing.T) {
	whole := func(said, face string, conditions ...metav1.Condition) *v1alpha1.Case {
		long := v1alpha1.Opinion{Decision: "Allow", Cause: "out-of-memory", Reasons: []v1alpha1.Reason{{Text: "long"}}}
		return &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "case", UID: "1", Labels: map[string]string{v1alpha1.LabelTemplate: "abc"}, CreationTimestamp: metav1.NewTime(noon)},
			Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: face, Text: "long"}, Subject: v1alpha1.Subject{Kind: "Deployment", Name: "web"},
				Answer: &v1alpha1.Answer{Said: said, Opinion: long, Brief: &v1alpha1.Brief{}}},
			Status: v1alpha1.CaseStatus{Opinion: long, Images: []string{"app:1"}, Conditions: conditions}}
	}
	failed := metav1.Condition{Type: v1alpha1.CaseRollout, Status: metav1.ConditionTrue, Reason: gate.RolloutCrashed, LastTransitionTime: metav1.NewTime(noon)}
	through := metav1.Condition{Type: v1alpha1.CaseRollout, Status: metav1.ConditionFalse, Reason: gate.RolloutAvailable}
	judged := metav1.Condition{Type: v1alpha1.CaseJudged, Status: metav1.ConditionTrue}
	for name, tt := range map[string]struct {
		kase  *v1alpha1.Case
		tells bool
	}{
		"a rollout that failed":           {whole(Admitted, "webhook", judged, failed), true},
		"a rollout that got through":      {whole(Admitted, "webhook", judged, through), true},
		"one of which nothing is known":   {whole(Admitted, "webhook", judged), false},
		"an incident":                     {whole(Admitted, "remediate", judged), true},
		"something else":                  {whole(Admitted, "drift", judged), false},
		"one that waited, and failed":     {whole(Retried, "webhook", judged, failed), true},
		"one that a model is asked about": {whole(AskedAhead, "webhook", judged), false},
	} {
		t.Run(name, func(t *testing.T) {
			slim := tt.kase.DeepCopy()
			if _, err := new(Lean).Trim(slim); err != nil {
				t.Fatal(err)
			}
			want, tells := rememberedOf(tt.kase)
			got, stillTells := rememberedOf(slim)
			if tells != tt.tells || stillTells != tells || tells && !reflect.DeepEqual(got, want) {
				t.Errorf("it tells %t %+v, and did %t %+v", stillTells, got, tells, want)
			}
			if early(tt.kase) {
				if !reflect.DeepEqual(slim.Status, tt.kase.Status) || !reflect.DeepEqual(slim.Labels, tt.kase.Labels) || slim.Spec.Answer.Said != tt.kase.Spec.Answer.Said {
					t.Errorf("what was heard is not whole: %+v", slim)
				}
			} else if slim.Status.Reasons != nil || slim.Spec.Answer != nil || slim.Spec.Signal.Text != "" {
				t.Errorf("it is as long as before: %+v", slim)
			}
		})
	}
}
