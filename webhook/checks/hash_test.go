package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestHash(t *testing.T) {
	with := func(change func(*corev1.PodTemplateSpec)) string {
		r := sound()
		template := r.New.Template.DeepCopy()
		change(template)
		return Hash(*template)
	}
	same := with(func(*corev1.PodTemplateSpec) {})
	for _, tt := range []struct {
		name   string
		change func(*corev1.PodTemplateSpec)
		equal  bool
	}{
		{"a restart changes nothing", func(p *corev1.PodTemplateSpec) {
			p.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "2026-01-01"}
		}, true},
		{"the label of a ReplicaSet changes nothing", func(p *corev1.PodTemplateSpec) { p.Labels["pod-template-hash"] = "x" }, true},
		{"an empty list is no list", func(p *corev1.PodTemplateSpec) { p.Spec.Volumes = []corev1.Volume{} }, true},
		{"another way to write a quantity changes nothing", func(p *corev1.PodTemplateSpec) {
			p.Spec.Containers[0].Resources.Requests = list("cpu", "1000m", "memory", "1024Mi")
		}, true},
		{"an image changes it", func(p *corev1.PodTemplateSpec) { p.Spec.Containers[0].Image = "web:2" }, false},
		{"an annotation of somebody else changes it", func(p *corev1.PodTemplateSpec) {
			p.Annotations = map[string]string{"checksum/config": "1"}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := with(tt.change); (got == same) != tt.equal {
				t.Errorf("hash %s beside %s, want equal %v", got, same, tt.equal)
			}
		})
	}
	if bad := validation.IsValidLabelValue(same); len(bad) > 0 {
		t.Errorf("%q is no label value: %v", same, bad)
	}
}

func TestTemplateChangedAndNoOp(t *testing.T) {
	for _, tt := range []struct {
		name          string
		change        func(*Workload)
		changed, noOp bool
	}{
		{"nothing changes", func(*Workload) {}, false, true},
		{"status is not ours", func(w *Workload) { w.Status.Ready, w.Revision = 2, "7" }, false, true},
		{"a restart makes new pods", func(w *Workload) {
			w.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		}, true, false},
		{"scaling makes no new revision", func(w *Workload) { w.Replicas = 9 }, false, false},
		{"resuming lets a rollout go", func(w *Workload) { w.Paused = true }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, new := sound().New, sound().New
			tt.change(&new)
			if c, n := TemplateChanged(&old, new), NoOp(&old, new); c != tt.changed || n != tt.noOp {
				t.Errorf("changed %v no-op %v, want %v %v", c, n, tt.changed, tt.noOp)
			}
		})
	}
	if w := sound().New; !TemplateChanged(nil, w) || NoOp(nil, w) {
		t.Error("a create makes new pods and is no no-op")
	}
}

func TestAnOpinionSpeaksForTheSameChange(t *testing.T) {
	base := func(change func(*Workload)) string {
		w := Workload{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "team": "shop"}, Annotations: map[string]string{"a": "b"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:1"}}}}}
		change(&w)
		return Change(w)
	}
	same := base(func(*Workload) {})
	for name, tt := range map[string]struct {
		change func(*Workload)
		same   bool
	}{
		"with another label that nothing selects by": {func(w *Workload) { w.Template.Labels["injected"] = "x7" }, true},
		"with another annotation":                    {func(w *Workload) { w.Template.Annotations = map[string]string{"c": "d"} }, true},
		"of another size":                            {func(w *Workload) { w.Replicas = 9 }, true},
		"not with another label that it selects by":  {func(w *Workload) { w.Template.Labels["app"] = "other" }, false},
		"not with another image":                     {func(w *Workload) { w.Template.Spec.Containers[0].Image = "web:2" }, false},
		"not with another variable": {func(w *Workload) {
			w.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "b"}}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := base(tt.change) == same; got != tt.same {
				t.Errorf("the same: %t", got)
			}
		})
	}
}
