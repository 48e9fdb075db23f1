package webhook

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/webhook/checks"
)

const widgets = "{group: apps.example.com, version: v1, kind: Widget, resource: widgets, template: spec.pods}"

func shapesOf(t *testing.T, text string) []checks.Shape {
	t.Helper()
	shapes, err := ParseShapes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return shapes
}

func TestWhichKindsAreScored(t *testing.T) {
	k, err := NewKinds([]string{"job", "Pod"}, shapesOf(t, "shapes: ["+widgets+"]"))
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Names(); got != "Deployments, StatefulSets, DaemonSets, Jobs, Pods and Widgets" {
		t.Error(got)
	}
	for word, want := range map[string]string{"deployment": "Deployment", "StatefulSets": "StatefulSet", "jobs": "Job", "pod": "Pod", "widget": "Widget", "cronjob": "", "secrets": "", "": ""} {
		if kind, ok := k.Called(word); kind.Kind != want || ok != (want != "") {
			t.Errorf("%q means %s", word, kind)
		}
	}
	if kind, ok := EveryKind(shapesOf(t, "shapes: [{group: a.example, version: v1, kind: Job, resource: jobs, template: spec.pods}]")).Called("job"); ok {
		t.Errorf("of two kinds of this name %s is meant", kind)
	}
	for says, names := range map[string][]string{"ReplicaSet": {"ReplicaSet"}, "twice": {"Job", "job"}, `""`: {""}} {
		if _, err := NewKinds(names, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

func TestShapesAreReadStrictly(t *testing.T) {
	for text, says := range map[string]string{
		"":                                    "there are 0",
		"shapes: []":                          "there are 0",
		"kinds: []":                           "unknown field",
		"shapes: [{group: apps.example.com}]": "shapes[0]: version",
		"shapes: [" + widgets + ", " + widgets + "]":                               "described twice",
		"shapes: [" + strings.Repeat(widgets+", ", 40) + "]":                       "there are 40",
		strings.Replace("shapes: ["+widgets+"]", "spec.pods", "'spec.pods[0]'", 1): "template",
	} {
		if _, err := ParseShapes([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: got %v, want %q", text, err, says)
		}
	}
}

// What is registered is asked about by group and version, and of Pods only that they are made.
func TestRulesOfMoreKinds(t *testing.T) {
	var got []string
	for _, r := range EveryKind(shapesOf(t, "shapes: ["+widgets+"]")).rules() {
		line := r.APIGroups[0] + "/" + r.APIVersions[0] + " " + strings.Join(r.Resources, ",")
		for _, o := range r.Operations {
			line += " " + string(o)
		}
		got = append(got, line)
	}
	want := []string{"apps/v1 deployments,statefulsets,daemonsets CREATE UPDATE", "batch/v1 jobs,cronjobs CREATE UPDATE", "/v1 pods CREATE",
		"argoproj.io/v1alpha1 rollouts CREATE UPDATE", "apps.example.com/v1 widgets CREATE UPDATE"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestWhatAControllerMakesIsScoredWithItsWorkload(t *testing.T) {
	owner := []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", UID: "1", Controller: new(true)}}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "nightly-1"}, Spec: batchv1.JobSpec{Template: deployment("shop", "web").Spec.Template}}
	asked := func(b bench) int {
		req := request(t, admissionv1.Create, nil, job)
		req.Kind = metav1.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
		b.Kinds = EveryKind(nil)
		if resp := b.Handle(t.Context(), req); !resp.Allowed {
			t.Errorf("%+v", resp.Result)
		}
		return len(b.queued())
	}
	if got := asked(newBench(t, rail(1))); got != 1 {
		t.Errorf("%d Cases of a Job that somebody makes, want one", got)
	}
	job.OwnerReferences = owner
	if got := asked(newBench(t, rail(1))); got != 0 {
		t.Errorf("%d Cases of a Job of a CronJob, want none", got)
	}
}

// A Rollout keeps its revisions in ReplicaSets, numbered by its own controller; of another kind nobody knows where they are,
// nor which pods are its own where no selector says so.
func TestThePastOfMoreKinds(t *testing.T) {
	template := deployment("shop", "web").Spec.Template
	set := &appsv1.ReplicaSet{ObjectMeta: ownedMeta(inShop("web-1"), "Rollout", "web", "web-uid"), Spec: appsv1.ReplicaSetSpec{Template: *template.DeepCopy()}}
	set.UID, set.Annotations = "set-uid", map[string]string{"rollout.argoproj.io/revision": "7"}
	set.Spec.Template.Labels = map[string]string{"app": "web", "rollouts-pod-template-hash": "abc"}
	pod := &corev1.Pod{ObjectMeta: ownedMeta(inShop("web-1-a"), "ReplicaSet", "web-1", "set-uid")}
	pod.Labels = map[string]string{"app": "web"}
	s := &shelf{scheme: testScheme(t), objects: []client.Object{set, pod}}
	w := World{Reader: s, Now: at(noon)}
	old := checks.Workload{Template: template, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}
	old.Ref.Group, old.Ref.Version, old.Ref.Kind, old.Ref.Namespace, old.Ref.Name, old.Ref.UID = "argoproj.io", "v1alpha1", "Rollout", "shop", "web", "web-uid"
	var seen checks.World
	w.history(t.Context(), &old, "shop", &seen)
	revisions, known := seen.Revisions.Get()
	if !known || len(revisions) != 1 || revisions[0].Number != 7 || revisions[0].Hash != checks.Hash(template) {
		t.Errorf("revisions %+v, known %v", revisions, known)
	}
	if own, known := seen.Pods.Get(); !known || len(own) != 1 {
		t.Errorf("%d own pods, known %v", len(own), known)
	}
	old.Ref.Group, old.Ref.Kind, old.Selector = "apps.example.com", "Widget", nil
	w.history(t.Context(), &old, "shop", &seen)
	if _, known := seen.Revisions.Get(); known {
		t.Error("the revisions of a Widget are known")
	}
	if _, known := seen.Pods.Get(); known {
		t.Error("the pods of a Widget without a selector are known")
	}
}
