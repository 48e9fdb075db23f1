package policies

import (
	"context"
	"encoding/json"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// Verdicts are read from Cases: who may do everything in a namespace still cannot put words into Moorgate's mouth.
func TestCasesCannotBeForged(t *testing.T) {
	s := newStage(t)
	held := aCase(s.namespace, "webhook-web-222222222222")
	held.Finalizers = []string{"example.com/held"}
	if err := s.admin.client.Create(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	theirs := s.owner(t)
	t.Run("the owner of a namespace may not", func(t *testing.T) { refused(t, theirs, s.forgeries(), "moorgate-cases") })
	t.Run("the owner of a namespace may delete", func(t *testing.T) {
		allowed(t, theirs, []write{
			{"a case", remove(aCase(s.namespace, "webhook-web-000000000000"))},
			{"a case that something holds back", remove(held)},
			{"many", func(ctx context.Context, h hand) error {
				return h.client.DeleteAllOf(ctx, &v1alpha1.Case{}, client.InNamespace(s.namespace))
			}},
		})
	})
	t.Run("what is on its way out", func(t *testing.T) {
		refused(t, theirs, []write{
			{"still says what it said", patchStatus(held, `{"status":{"decision":"Allow","score":100}}`)},
			{"still is about what it was about", patch(held, `{"metadata":{"labels":{"moorgate.dev/template":"x"},"finalizers":null}}`)},
		}, "moorgate-cases")
		allowed(t, theirs, []write{{"may lose its finalizers", patch(held, `{"metadata":{"finalizers":null}}`)}})
		if err := s.admin.client.Get(t.Context(), client.ObjectKeyFromObject(held), &v1alpha1.Case{}); !apierrors.IsNotFound(err) {
			t.Errorf("got %v, want that it is gone", err)
		}
	})
}

func TestCasesAreWrittenBy(t *testing.T) {
	s := newStage(t)
	t.Run("an administrator, under whom a laptop runs Moorgate", func(t *testing.T) { allowed(t, s.admin, s.keeping("drift")) })
	t.Run("the judge, whatever the face", func(t *testing.T) {
		allowed(t, s.as(t, "moorgate-judge"), append(s.opening("webhook"), append(s.opening("drift"), s.opening("remediate")...)...))
	})
	t.Run("the webhook", func(t *testing.T) {
		h := s.as(t, "moorgate-webhook")
		if err := create(faced(aCase(s.namespace, "webhook-web-333333333333"), "webhook"))(t.Context(), h); err != nil {
			t.Error(err)
		}
		others := []write{
			{"a drift", create(faced(aCase(s.namespace, "drift-web-333333333333"), "drift"))},
			{"a remediation", create(faced(aCase(s.namespace, "remediate-web-333333333333"), "remediate"))},
			{"a drift under the name of an admission", create(faced(aCase(s.namespace, "webhook-web-444444444444"), "drift"))},
		}
		t.Run("of its own face only", func(t *testing.T) { refused(t, h, others, "moorgate-cases") })
		t.Run("of its own face only, whatever its rights", func(t *testing.T) {
			refused(t, s.unbound(t, "moorgate-webhook"), others, "moorgate-cases")
		})
	})
	t.Run("the webhook, of what a person was seen to do", func(t *testing.T) {
		for name, h := range map[string]hand{"drift-web-aaaaaaaaaaaa": s.as(t, "moorgate-webhook"), "drift-web-bbbbbbbbbbbb": s.unbound(t, "moorgate-webhook")} {
			seen := s.seen(func(c *v1alpha1.Case) { c.Name = name })
			allowed(t, h, []write{{"new ones", create(seen)}})
			refused(t, h, []write{
				{"with a verdict on it", patchStatus(seen, `{"status":{"decision":"Allow"}}`)},
				{"of another face", create(s.seen(func(c *v1alpha1.Case) { c.Spec.Signal.Face = "remediate" }))},
				{"that say a drift", create(s.seen(func(c *v1alpha1.Case) { c.Spec.Signal.Reason = "FieldDrift" }))},
				{"that were answered", create(s.seen(func(c *v1alpha1.Case) {
					c.Spec.Answer = &v1alpha1.Answer{Said: "Admitted", Opinion: v1alpha1.Opinion{Decision: "Allow"}}
				}))},
				{"that nobody was seen in", create(s.seen(func(c *v1alpha1.Case) { c.Spec.Witness = nil }))},
				{"that look like others", create(s.seen(func(c *v1alpha1.Case) { c.Labels = nil }))},
				{"beside an answer of its own face", create(s.seen(func(c *v1alpha1.Case) { c.Spec.Signal.Face = "webhook" }))},
			}, "moorgate-cases")
		}
		refused(t, s.owner(t), []write{{"the owner of a namespace", create(s.seen(func(*v1alpha1.Case) {}))}}, "moorgate-cases")
	})
	t.Run("act, their status, and nothing else whatever its rights", func(t *testing.T) {
		allowed(t, s.as(t, "moorgate-act"), []write{{"write the status of one", patchStatus(aCase(s.namespace, caseName), `{"status":{"decision":"Hold"}}`)}})
		refused(t, s.unbound(t, "moorgate-act"), []write{{"open a case", create(faced(aCase(s.namespace, "remediate-web-666666666666"), "remediate"))},
			{"label one", patch(aCase(s.namespace, caseName), `{"metadata":{"labels":{"x":"y"}}}`)}, {"delete one", remove(aCase(s.namespace, caseName))}}, "moorgate-act")
	})
	t.Run("nobody under the name of the probe", func(t *testing.T) {
		refused(t, s.admin, []write{{"an administrator", create(aCase(system, "moorgate-fence-probe-cases"))}}, "moorgate-cases")
	})
	t.Run("whoever changes nothing", func(t *testing.T) {
		allowed(t, s.owner(t), []write{{"a migration", patch(aCase(s.namespace, "webhook-web-000000000000"), `{}`)}})
	})
}

// seen is a new Case of what a person was seen to do, but for one change.
func (s stage) seen(change func(*v1alpha1.Case)) *v1alpha1.Case {
	c := faced(aCase(s.namespace, ""), "drift")
	c.GenerateName, c.Labels = "drift-web-", map[string]string{v1alpha1.LabelWitnessed: "true"}
	c.Spec.Signal.Reason = v1alpha1.ReasonWitnessed
	c.Spec.Witness = &v1alpha1.Witness{User: "alice", Operation: "UPDATE", Paths: []string{"spec.replicas"}, At: metav1.Unix(1, 0)}
	change(c)
	return c
}

func (s stage) opening(face string) []write {
	name := face + "-web-555555555555"
	return []write{
		{"open a case: " + face, create(faced(aCase(s.namespace, name), face))},
		{"write its status: " + face, patchStatus(aCase(s.namespace, name), `{"status":{"decision":"Hold"}}`)},
	}
}

func (s stage) keeping(face string) []write {
	opened := aCase(s.namespace, face+"-web-666666666666")
	return []write{
		{"open a case", create(faced(opened, face))},
		{"write its status", patchStatus(opened, `{"status":{"decision":"Hold"}}`)},
		{"label it", patch(opened, `{"metadata":{"labels":{"x":"y"}}}`)},
		{"delete it", remove(opened)},
	}
}

// forgeries are what somebody writes who wants a rollout to look judged.
func (s stage) forgeries() []write {
	forged := aCase(s.namespace, "webhook-web-777777777777")
	forged.Labels = map[string]string{v1alpha1.LabelFace: "webhook", v1alpha1.LabelTemplate: "abc"}
	forged.Spec.Answer = &v1alpha1.Answer{Said: "Admitted", Opinion: v1alpha1.Opinion{Decision: "Allow", Score: new(int32(100)), Confidence: new(int32(100))}}
	there := aCase(s.namespace, "webhook-web-000000000000")
	generated := forged.DeepCopy()
	generated.Name, generated.GenerateName = "", "webhook-web-"
	return []write{
		{"create an admission", create(forged)},
		{"create one that the server names", create(generated)},
		{"create a drift", create(faced(forged, "drift"))},
		{"try to create one in a dry run", create(forged, client.DryRunAll)},
		{"write the status of one", patchStatus(there, `{"status":{"decision":"Allow","score":100}}`)},
		{"replace the status of one", func(ctx context.Context, h hand) error {
			var c v1alpha1.Case
			if err := h.client.Get(ctx, client.ObjectKeyFromObject(there), &c); err != nil {
				return err
			}
			c.Status.Decision, c.Status.Score = "Allow", new(int32(100))
			return h.client.Status().Update(ctx, &c)
		}},
		{"have one speak of another template", patch(there, `{"metadata":{"labels":{"moorgate.dev/template":"abc"}}}`)},
		{"annotate one", patch(there, `{"metadata":{"annotations":{"x":"y"}}}`)},
		{"hold one back from deletion", patch(there, `{"metadata":{"finalizers":["x/y"]}}`)},
		{"have one collected as garbage", patch(there, `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"1"}]}}`)},
	}
}

func faced(c *v1alpha1.Case, face string) *v1alpha1.Case {
	c = c.DeepCopy()
	c.Spec.Signal.Face = face
	return c
}

// owner is somebody who may do everything in the namespace of the stage, and nothing elsewhere.
func (s stage) owner(t *testing.T) hand { return s.ownerOf(t, s.namespace) }

// ownerOf is somebody who may do everything in a namespace, and nothing elsewhere.
func (s stage) ownerOf(t *testing.T, namespace string) hand {
	t.Helper()
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-owner-"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "owner"}}}
	if err := s.admin.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.client.Delete(context.WithoutCancel(t.Context()), binding) })
	config := *s.cluster.Config()
	config.Impersonate.UserName, config.Impersonate.Groups = "owner", []string{"system:authenticated"}
	h := handOf(t, &config)
	waitForEverything(t, h, namespace)
	return h
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
