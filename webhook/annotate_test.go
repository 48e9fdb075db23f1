package webhook

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func TestAfterAdmissionTheRolloutCarriesItsVerdict(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "web"))}, "apply", "-f", "d.yaml")
	if err != nil || !strings.Contains(out, "Warning: moorgate: would be denied: score ") {
		t.Fatalf("%v: %s", err, out)
	}
	c := g.caseOf(t, ns, "web", Warned)
	key := client.ObjectKey{Namespace: ns, Name: "web"}
	var d appsv1.Deployment
	annotated := func() error {
		if err := g.admin.Get(t.Context(), key, &d); err != nil {
			return err
		}
		a := d.Annotations
		if a[v1alpha1.AnnotationVerdict] != "Deny" || a[v1alpha1.AnnotationScore] != fmt.Sprint(*c.Spec.Answer.Opinion.Score) ||
			a[v1alpha1.AnnotationCase] != c.Name || a[v1alpha1.AnnotationTemplate] != checks.Hash(d.Spec.Template) {
			return fmt.Errorf("annotations are %v", a)
		}
		return nil
	}
	eventually(t, "the rollout is annotated", annotated)
	for _, m := range d.ManagedFields {
		if m.Manager == "moorgate" && (m.Operation != metav1.ManagedFieldsOperationApply || strings.Contains(m.FieldsV1.GetRawString(), "f:spec")) {
			t.Errorf("%s %s owns %s", m.Manager, m.Operation, m.FieldsV1.GetRawString())
		}
	}
	g.log.mu.Lock()
	intents, outcomes := 0, 0
	for _, r := range g.log.records {
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordIntent {
			intents++
		}
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordOutcome && *r.Outcome == gate.OutcomeDone {
			outcomes++
		}
	}
	g.log.mu.Unlock()
	if intents == 0 || outcomes == 0 {
		t.Errorf("%d intents and %d outcomes are on record", intents, outcomes)
	}
	eventually(t, "an Event says so", func() error {
		var list eventsv1.EventList
		if err := g.admin.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
			return err
		}
		for _, e := range list.Items {
			if e.Regarding.UID == d.UID && e.Type == corev1.EventTypeWarning && e.Reason == "RolloutWarned" {
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them ours", len(list.Items))
	})
	t.Run("so do a StatefulSet and a DaemonSet", func(t *testing.T) {
		for _, obj := range alike(poor(ns, "kinds")) {
			if err := g.admin.Create(t.Context(), obj); err != nil {
				t.Fatal(err)
			}
			eventually(t, fmt.Sprintf("the %T is annotated", obj), func() error {
				if err := g.admin.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
					return err
				}
				if obj.GetAnnotations()[v1alpha1.AnnotationVerdict] != "Deny" {
					return fmt.Errorf("annotations are %v", obj.GetAnnotations())
				}
				return nil
			})
		}
	})
	t.Run("and what somebody else wrote there is put right", func(t *testing.T) {
		if out, err := g.kubectl(t, nil, "-n", ns, "annotate", "--overwrite", "deploy/web", v1alpha1.AnnotationScore+"=100"); err != nil {
			t.Fatal(out)
		}
		eventually(t, "the annotation is put right", annotated)
	})
}

func TestObserveTouchesNothing(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Observe"))
	out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "web"))}, "apply", "-f", "d.yaml")
	if err != nil || strings.Contains(out, "moorgate") {
		t.Fatalf("%v: %s", err, out)
	}
	c := g.caseOf(t, ns, "web", Admitted)
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	for _, r := range g.log.records {
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordIntent {
			t.Errorf("an intent: %+v", r.Action)
		}
	}
	var d appsv1.Deployment
	if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "web"}, &d); err != nil || d.Annotations[v1alpha1.AnnotationScore] != "" {
		t.Errorf("%v: %v", err, d.Annotations)
	}
}
