package webhook

import (
	"net/http"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// askingBench is a gate of one replica, under a Guardrail that has a model waited for, whose cache holds the objects.
func askingBench(t *testing.T, revisions ...*appsv1.ReplicaSet) bench {
	p := rail(gate.AdmissionEnforce)
	p.Rails[0].DenyAdvised, p.Rails[0].OnPending, p.Rails[0].PendingFor = true, gate.PendingRetry, 30*time.Second
	p.Rails[0].Asking = gate.Asking{Ask: gate.AskAlways}
	b := newBench(t, p)
	b.Cases, b.Advice = b.shelf, &Advice{Now: at(noon), seen: noon}
	for _, r := range revisions {
		b.shelf.objects = append(b.shelf.objects, r)
	}
	return b
}

// opened is the name of the one Case that a replica opens to have a model asked about an update.
func (b bench) opened(t *testing.T, old, now *appsv1.Deployment) string {
	t.Helper()
	resp := b.Handle(t.Context(), request(t, admissionv1.Update, old, now))
	all := b.queued()
	if resp.Result == nil || resp.Result.Code != http.StatusTooManyRequests || len(all) != 1 {
		t.Fatalf("%+v, %d Cases", resp.Result, len(all))
	}
	return all[0].Signal.CaseName()
}

// writtenAt is a Deployment whose template somebody wrote so many seconds after noon.
func writtenAt(seconds int, image string) *appsv1.Deployment {
	d := deployment("shop", "web")
	d.UID, d.Spec.Template.Spec.Containers[0].Image = "u", image
	d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:template":{}}}`),
		Time: new(metav1.NewTime(noon.Add(time.Duration(seconds) * time.Second)))}}
	return d
}

// Two replicas see the revisions of a workload come at different times. What they open for one change has one name, so that whoever is
// second finds it there.
func TestReplicasThatKnowDifferentlyMuchOpenOneCase(t *testing.T) {
	old, now := writtenAt(0, "shop/web:1.4.2"), writtenAt(0, "shop/web:1.4.3")
	revision := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Annotations: map[string]string{"deployment.kubernetes.io/revision": "1"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "u", Controller: new(true)}}}, Spec: appsv1.ReplicaSetSpec{Template: old.Spec.Template}}
	ahead, behind := askingBench(t, revision).opened(t, old, now), askingBench(t).opened(t, old, now)
	if ahead != behind {
		t.Errorf("two Cases for one change: %s and %s", ahead, behind)
	}
}

func TestASecondRolloutOfAnOldTemplateIsAnotherCase(t *testing.T) {
	first := askingBench(t).opened(t, writtenAt(0, "shop/web:1.4.2"), writtenAt(0, "shop/web:1.4.3"))
	second := askingBench(t).opened(t, writtenAt(60, "shop/web:1.4.2"), writtenAt(60, "shop/web:1.4.3"))
	if first == second {
		t.Errorf("both have %s", first)
	}
}
