package webhook

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"

	"moorgate.dev/internal/gate"
)

func TestTheSameHappeningIsTheSameCase(t *testing.T) {
	caseName := func(t *testing.T, b bench, op admissionv1.Operation, old, obj *appsv1.Deployment) string {
		t.Helper()
		b.Handle(t.Context(), request(t, op, old, obj))
		opened := b.queued()
		if len(opened) != 1 {
			t.Fatalf("%d Cases", len(opened))
		}
		return opened[0].Signal.CaseName()
	}
	better := deployment("shop", "web")
	better.Spec.Template.Spec.Containers[0].Image = "registry.example/app:1.2.4"
	base := caseName(t, newBench(t, rail(gate.AdmissionWarn)), admissionv1.Update, deployment("shop", "web"), better)

	t.Run("in another replica, later, for somebody else", func(t *testing.T) {
		b := newBench(t, rail(gate.AdmissionWarn))
		b.Now = at(noon.AddDate(0, 0, 1))
		req := request(t, admissionv1.Update, deployment("shop", "web"), better)
		req.UserInfo.Username = "bob"
		b.Handle(t.Context(), req)
		if got := b.queued()[0].Signal.CaseName(); got != base {
			t.Errorf("%s is not %s", got, base)
		}
	})
	for name, tt := range map[string]struct {
		prepare func(bench)
		old     func(*appsv1.Deployment)
		obj     func(*appsv1.Deployment)
		same    bool
	}{
		"status and annotations do not count": {obj: func(d *appsv1.Deployment) {
			d.Annotations, d.Status.ReadyReplicas = map[string]string{"a": "b"}, 1
		}, same: true},
		"another template":      {obj: func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:2" }},
		"from another template": {old: func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:1" }},
		"other replicas":        {obj: func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(5)) }},
		"another strategy": {obj: func(d *appsv1.Deployment) {
			d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		}},
		"another verdict on the same change": {prepare: func(b bench) {
			b.Policy = func(context.Context, string) (gate.Policy, error) {
				p := rail(gate.AdmissionWarn)
				p.Rails[0].ConfidenceBelow = gate.Known(100)
				return p, nil
			}
			b.shelf.objects = append(b.shelf.objects, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "none"},
				Spec:   corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: {}}},
				Status: corev1.ResourceQuotaStatus{Hard: corev1.ResourceList{corev1.ResourcePods: {}}}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rail(gate.AdmissionWarn))
			old, obj := deployment("shop", "web"), better.DeepCopy()
			if tt.prepare != nil {
				tt.prepare(b)
			}
			if tt.old != nil {
				tt.old(old)
			}
			if tt.obj != nil {
				tt.obj(obj)
			}
			if got := caseName(t, b, admissionv1.Update, old, obj); (got == base) != tt.same {
				t.Errorf("%s, and the first was %s", got, base)
			}
		})
	}
}

func TestWhatACreateSaysOfItsUIDIsIgnored(t *testing.T) {
	b := newBench(t, rail(gate.AdmissionWarn))
	d := deployment("shop", "web")
	d.UID = "made-up"
	b.Handle(t.Context(), request(t, admissionv1.Create, nil, d))
	if got := b.queued()[0].Signal.Subject; got.UID != "" || got.Name != "web" {
		t.Errorf("%+v", got)
	}
}
