package checks

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
)

// read makes an unstructured object of YAML.
func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	body, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = u.UnmarshalJSON(body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMoreKindsAreRead(t *testing.T) {
	job := func(parallelism, completions *int32, suspend bool) batchv1.JobSpec {
		return batchv1.JobSpec{Parallelism: parallelism, Completions: completions, Suspend: &suspend}
	}
	rollout := func(spec string) runtime.Object {
		return read(t, "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {template: {spec: {containers: [{name: app}]}}, "+spec+"}}")
	}
	four := ptr(int32(4))
	for _, tt := range []struct {
		name   string
		object runtime.Object
		want   Workload
	}{
		{"a Job runs one pod", &batchv1.Job{}, Workload{Once: true, Replicas: 1}},
		{"a Job runs as many as its parallelism", &batchv1.Job{Spec: job(four, nil, false)}, Workload{Once: true, Replicas: 4}},
		{"and no more than it completes", &batchv1.Job{Spec: job(four, ptr(int32(2)), false)}, Workload{Once: true, Replicas: 2}},
		{"a Job that is suspended is paused", &batchv1.Job{Spec: job(four, nil, true)}, Workload{Once: true, Replicas: 4, Paused: true}},
		{"a CronJob starts later, and its runs overlap", &batchv1.CronJob{}, Workload{Once: true, Later: true, Overlaps: true, Replicas: 1}},
		{"a CronJob that forbids that", &batchv1.CronJob{Spec: batchv1.CronJobSpec{ConcurrencyPolicy: batchv1.ForbidConcurrent}}, Workload{Once: true, Later: true, Replicas: 1}},
		{"a CronJob that is suspended is paused", &batchv1.CronJob{Spec: batchv1.CronJobSpec{Suspend: ptr(true)}}, Workload{Once: true, Later: true, Overlaps: true, Replicas: 1, Paused: true}},
		{"a CronJob has the parallelism of its Jobs", &batchv1.CronJob{Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: job(four, nil, false)}}},
			Workload{Once: true, Later: true, Overlaps: true, Replicas: 4}},
		{"a Pod is one", &corev1.Pod{}, Workload{Once: true, Replicas: 1}},
		{"a Rollout's defaults are filled in", rollout("replicas: 8"), Workload{Replicas: 8, MaxSurge: 2, MaxUnavailable: 2}},
		{"a canary says its own", rollout("replicas: 8, strategy: {canary: {maxSurge: 3, maxUnavailable: 0}}"), Workload{Replicas: 8, MaxSurge: 3}},
		{"blue stands beside green", rollout("replicas: 8, strategy: {blueGreen: {activeService: web}}"), Workload{Replicas: 8, MaxSurge: 8}},
		{"a Rollout may be paused", rollout("paused: true, strategy: {canary: {maxSurge: 1, maxUnavailable: 0}}"), Workload{Replicas: 1, MaxSurge: 1, Paused: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := FromObject(tt.object)
			got := Workload{Once: w.Once, Later: w.Later, Overlaps: w.Overlaps, Paused: w.Paused, Replicas: w.Replicas, MaxSurge: w.MaxSurge, MaxUnavailable: w.MaxUnavailable}
			if err != nil || !NoOp(&got, tt.want) {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestWhatIsNotReadSaysWhy(t *testing.T) {
	owned := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", Controller: ptr(true)}}}}
	for _, tt := range []struct {
		name   string
		object runtime.Object
		says   string
	}{
		{"a Pod of a controller", owned, "Pod web-1 is part of ReplicaSet web"},
		{"a Rollout whose template is elsewhere", read(t, "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {workloadRef: {kind: Deployment}}}"), "template from a Deployment"},
		{"a Rollout without a template", read(t, "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {}}"), "no pod template at spec.template"},
		{"another kind", read(t, "{apiVersion: a.example/v1, kind: Widget, metadata: {name: web}}"), "not a kind that is scored"},
		{"a template that is none", &Shaped{read(t, "{apiVersion: a.example/v1, kind: Widget, metadata: {name: w}, spec: {pods: {spec: {containers: 7}}}}"), widget}, "spec.pods"},
		{"a size that is none", &Shaped{read(t, "{apiVersion: a.example/v1, kind: Widget, metadata: {name: w}, spec: {pods: {}, size: many}}"), widget}, "spec.size is no whole number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := FromObject(tt.object); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

var widget = Shape{Group: "a.example", Version: "v1", Kind: "Widget", Resource: "widgets", Template: "spec.pods", Replicas: "spec.size", Selector: "spec.selector"}

func TestAShapeReadsAnyKind(t *testing.T) {
	u := read(t, `{apiVersion: a.example/v1, kind: Widget, metadata: {name: w, namespace: shop}, spec: {size: 3, selector: {matchLabels: {app: w}},
  pods: {metadata: {labels: {app: w}}, spec: {containers: [{name: app, image: a:1, resources: {requests: {cpu: 100m}}}]}}}}`)
	w, err := FromObject(&Shaped{u, widget})
	if err != nil || w.Replicas != 3 || w.Template.Spec.Containers[0].Image != "a:1" || w.Selector.MatchLabels["app"] != "w" || w.Ref.String() == "" || w.Ref.Group != "a.example" {
		t.Errorf("%+v, %v", w, err)
	}
	less := widget
	less.Replicas, less.Selector = "", ""
	if w, err = FromObject(&Shaped{u, less}); err != nil || w.Replicas != 1 || w.Selector != nil {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestAShapeIsChecked(t *testing.T) {
	if err := widget.Check(); err != nil {
		t.Errorf("a sound one: %v", err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Shape)
		says   string
	}{
		{"no group", func(s *Shape) { s.Group = "" }, "group"},
		{"a group of Kubernetes", func(s *Shape) { s.Group = "rbac.authorization.k8s.io" }, "others define"},
		{"Moorgate's own", func(s *Shape) { s.Group = "x.moorgate.dev" }, "others define"},
		{"a version that is none", func(s *Shape) { s.Version = "*" }, "version"},
		{"every resource", func(s *Shape) { s.Resource = "*" }, "resource"},
		{"a subresource", func(s *Shape) { s.Resource = "widgets/scale" }, "resource"},
		{"no template", func(s *Shape) { s.Template = "" }, "template"},
		{"a template outside of the spec", func(s *Shape) { s.Template = "status.template" }, "template"},
		{"an expression", func(s *Shape) { s.Template = "spec.a' || true || '" }, "template"},
		{"a path with an index", func(s *Shape) { s.Replicas = "spec.pods[0].size" }, "replicas"},
		{"an endless path", func(s *Shape) { s.Selector = "spec" + strings.Repeat(".a", 9) }, "selector"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := widget
			tt.change(&s)
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

func ofKind(k string) func(*Rollout) {
	return func(r *Rollout) {
		r.New.Ref.Kind, r.New.MaxSurge, r.New.MaxUnavailable = k, 0, 0
		r.New.Once, r.New.Later = k != "Rollout", k == "CronJob"
		if k == "Pod" {
			r.New.Replicas = 1
		}
	}
}

// Each check on each of the kinds: what does not apply says nothing, what applies says it.
func TestTheChecksMakeSenseOnEachKind(t *testing.T) {
	bare := func(r *Rollout) { app(r).Resources = corev1.ResourceRequirements{} }
	latest := func(r *Rollout) { app(r).Image = "a:latest" }
	unprobed := func(r *Rollout) { app(r).ReadinessProbe = nil }
	unnamed := func(r *Rollout) { app(r).ReadinessProbe.HTTPGet.Port = intstr.FromString("nowhere") }
	budget := func(r *Rollout) {
		b := policyv1.PodDisruptionBudget{}
		b.Spec.Selector, b.Spec.MaxUnavailable = r.New.Selector, ptr(intstr.FromInt32(0))
		r.World.Budgets = gate.Known([]policyv1.PodDisruptionBudget{b})
	}
	missing := func(r *Rollout) {
		env("s", nil)(r)
		r.World.Secrets = map[string]gate.Fact[bool]{"s": gate.Known(false)}
	}
	selector := func(r *Rollout) { r.New.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"} }
	for _, k := range []string{"Job", "CronJob", "Pod"} {
		readinessCheck.tell(t, []tale{{name: k + ": nobody waits for readiness", change: steps(ofKind(k), unprobed)}, {name: k + ": nor for a probe", change: steps(ofKind(k), unnamed)}})
		availabilityCheck.tell(t, []tale{{name: k + ": nobody serves", change: steps(ofKind(k), func(r *Rollout) { r.New.MaxUnavailable = 9 })}})
		budgetCheck.tell(t, []tale{{name: k + ": no budget matters", change: steps(ofKind(k), budget)}})
	}
	for _, k := range []string{"Job", "CronJob", "Pod", "Rollout"} {
		imageCheck.tell(t, []tale{{name: k + ": latest", change: steps(ofKind(k), latest), points: pointsImage, nature: gate.Lasting}})
		requestsCheck.tell(t, []tale{{name: k + ": no requests", change: steps(ofKind(k), bare), points: pointsRequests, nature: gate.Lasting}})
		referencesCheck.tell(t, []tale{{name: k + ": a missing Secret", change: steps(ofKind(k), missing), points: pointsReference, nature: gate.Pending}})
		fitCheck.tell(t, []tale{{name: k + ": no node suits", change: steps(ofKind(k), selector), points: pointsNoNodeMatches, nature: gate.Recent}})
	}
	readinessCheck.tell(t, []tale{{name: "Rollout: readiness matters", change: steps(ofKind("Rollout"), unprobed), points: pointsReadiness, nature: gate.Lasting}})
	budgetCheck.tell(t, []tale{{name: "Rollout: budgets matter", change: steps(ofKind("Rollout"), budget), points: pointsBudget, nature: gate.Lasting}})
}

func TestQuotaAndRoomOfWhatRunsOnce(t *testing.T) {
	tight := func(hard, used string) func(*Rollout) {
		return quota(list("requests.cpu", hard), list("requests.cpu", used))
	}
	paused := func(r *Rollout) { r.New.Paused = true }
	quotaCheck.tell(t, []tale{
		{name: "a Job that does not fit whole goes pod by pod", change: steps(ofKind("Job"), tight("2", "1")), points: pointsQuotaSlow, nature: gate.Recent, text: "pod by pod"},
		{name: "a Job of which no pod fits", change: steps(ofKind("Job"), tight("2", "2")), points: pointsQuota, nature: gate.Recent},
		{name: "a Job that is suspended asks for nothing", change: steps(ofKind("Job"), tight("2", "2"), paused)},
		{name: "a Job that fits", change: steps(ofKind("Job"), tight("4", "1"))},
		{name: "a Pod that does not fit", change: steps(ofKind("Pod"), tight("2", "2")), points: pointsQuota, nature: gate.Recent},
		{name: "a CronJob that would not fit now", change: steps(ofKind("CronJob"), tight("4", "2")), points: pointsLater, nature: gate.Recent, text: "if it ran now: quota"},
		{name: "a CronJob that never fits whole", change: steps(ofKind("CronJob"), tight("2", "0")), points: pointsQuotaSlow, nature: gate.Recent},
		{name: "a CronJob that fits", change: steps(ofKind("CronJob"), tight("4", "1"))},
	})
	many := func(n int32, k string) func(*Rollout) {
		return steps(ofKind(k), func(r *Rollout) { r.New.Replicas = n })
	}
	large := func(r *Rollout) { app(r).Resources.Requests = list("cpu", "40") }
	fitCheck.tell(t, []tale{
		{name: "some of a Job's pods find room", change: many(20, "Job"), points: pointsLater, nature: gate.Recent, text: "only 12 find room"},
		{name: "none ever could", change: steps(ofKind("Job"), large), points: pointsNeverFits, nature: gate.Recent},
		{name: "a CronJob would not find room now", change: many(20, "CronJob"), points: pointsLater, nature: gate.Recent, text: "if it ran now: 20 pods"},
		{name: "all find room", change: many(12, "Job")},
	})
}

func TestWhatTheServerPutsInDoesNotCount(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	stored := pod.DeepCopy()
	stored.Spec.ServiceAccountName, stored.Spec.NodeName = "default", "node-1"
	stored.Labels, stored.Annotations = map[string]string{"seen": "yes"}, map[string]string{"cni.example/ip": "10.0.0.1"}
	stored.Spec.Volumes = []corev1.Volume{{Name: tokenVolume + "x7f2b", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}}}
	stored.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: tokenVolume + "x7f2b"}}
	a, errA := FromObject(pod)
	b, errB := FromObject(stored)
	if errA != nil || errB != nil || TemplateHash(&a) != TemplateHash(&b) {
		t.Errorf("%v %v: %+v and %+v", errA, errB, a.Template, b.Template)
	}
	if len(stored.Spec.Volumes) != 1 || len(stored.Spec.Containers[0].VolumeMounts) != 1 {
		t.Error("the Pod was changed")
	}
	job := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b", "batch.kubernetes.io/controller-uid": "1", "job-name": "x"}}}
	if Hash(job) != Hash(corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}}}) {
		t.Error("the labels that the API server gives a Job's pods change the hash")
	}
}
