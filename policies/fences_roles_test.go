package policies

import (
	"context"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

func TestJudge(t *testing.T) {
	s := newStage(t)
	t.Run("may, with the rights of the chart", func(t *testing.T) { allowed(t, s.as(t, "moorgate-judge"), s.judgeMay()) })
	t.Run("may not, whatever its rights", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-judge"), s.forbidden(), "moorgate-judge", "moorgate-secrets")
	})
}

func (s stage) judgeMay() []write {
	source := &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "shop"}}
	rail := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "fences-test"}}
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web.1"}, Reason: "Drifted",
		InvolvedObject: corev1.ObjectReference{Kind: "Deployment", Namespace: s.namespace, Name: "web"}}
	return append(s.trials(client.DryRunAll), []write{
		{"mark a deployment", s.mark(map[string]string{v1alpha1.AnnotationScore: "80", v1alpha1.AnnotationVerdict: "Hold"})},
		{"mark it differently", s.mark(map[string]string{v1alpha1.AnnotationScore: "90"})},
		{"take its marks away", s.mark(nil)},
		{"mark a statefulset by merge patch", s.patch("StatefulSet", `{"metadata":{"annotations":{"moorgate.dev/readiness-score":"1"}}}`)},
		{"mark a daemonset by merge patch", s.patch("DaemonSet", `{"metadata":{"annotations":{"moorgate.dev/readiness-score":"1"}}}`)},
		{"try a change of the spec in a dry run", s.patch("Deployment", `{"spec":{"replicas":7}}`, client.DryRunAll)},
		{"try a server-side apply in a dry run", func(ctx context.Context, h hand) error {
			u := s.workload("Deployment")
			u.Object["spec"] = map[string]any{"paused": true}
			return h.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("flux"), client.ForceOwnership, client.DryRunAll)
		}},
		{"ask whether a secret exists: it does not", create(secret(s.namespace, "missing"), client.DryRunAll)},
		{"ask whether a secret exists: it does", asksAlreadyExists(secret(s.namespace, "password"))},
		{"open a case", create(aCase(s.namespace, "drift-web-000000000000"))},
		{"write the status of a case", patchStatus(aCase(s.namespace, "drift-web-000000000000"), `{"status":{"decision":"Hold"}}`)},
		{"delete a case that has expired", remove(aCase(s.namespace, "drift-web-000000000000"))},
		{"write the status of a gitsource", patchStatus(source, `{"status":{"commit":"abc"}}`)},
		{"write the status of a guardrail", patchStatus(rail, `{"status":{"observedGeneration":1}}`)},
		{"record an event", create(event)},
		{"count an event up", patch(event, `{"count":2}`)},
		{"take its lease", create(lease(system, "moorgate-judge"))},
		{"renew its lease", patch(lease(system, "moorgate-judge"), `{"spec":{"holderIdentity":"me"}}`)},
		{"ask what it may do", askWhatItMayDo},
	}...)
}

func TestWebhook(t *testing.T) {
	s := newStage(t)
	t.Run("may, with the rights of the chart", func(t *testing.T) { allowed(t, s.as(t, "moorgate-webhook"), s.webhookMay()) })
	t.Run("may not read another secret", func(t *testing.T) {
		err := s.as(t, "moorgate-webhook").client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "password"}, &corev1.Secret{})
		if !apierrors.IsForbidden(err) {
			t.Errorf("got %v, want a refusal", err)
		}
	})
	t.Run("may not, whatever its rights", func(t *testing.T) {
		more := []write{
			{"mark a deployment", s.mark(map[string]string{v1alpha1.AnnotationScore: "80"})},
			{"write the status of a case of another face", patchStatus(aCase(s.namespace, "drift-web-999999999999"), `{"status":{"decision":"Hold"}}`)},
			{"say that a model can be asked", create(lease(system, "moorgate-advice"))},
			{"delete its certificate", remove(secret(system, "moorgate-webhook-certificate"))},
			{"create a registration", create(registration("other"))},
			{"change another registration", patch(registration("theirs"), `{"webhooks":[]}`)},
			{"delete its own registration", remove(registration("moorgate"))},
			{"take the judge's lease", create(lease(system, "moorgate-judge"))},
		}
		refused(t, s.unbound(t, "moorgate-webhook"), append(more, s.forbidden()...), "moorgate-webhook", "moorgate-secrets", "moorgate-cases")
	})
}

func (s stage) webhookMay() []write {
	return []write{
		{"open a case", create(aCase(s.namespace, "webhook-web-111111111111"))},
		{"say what came of it", patchStatus(aCase(s.namespace, "webhook-web-000000000000"), `{"status":{"decision":"Hold"}}`)},
		{"ask whether a secret exists: it does not", create(secret(s.namespace, "missing"), client.DryRunAll)},
		{"ask whether a secret exists: it does", asksAlreadyExists(secret(s.namespace, "password"))},
		{"keep its certificate", patch(secret(system, "moorgate-webhook-certificate"), `{"data":{"tls.crt":"eA=="}}`)},
		{"keep its registration", patch(registration("moorgate"), `{"metadata":{"annotations":{"moorgate.dev/x":"y"}}}`)},
		{"ask what it may do", askWhatItMayDo},
	}
}

// Writes of everybody else pass the conditions of the fences; a condition that errored would stop the whole cluster.
func TestFencesLeaveEverybodyElseAlone(t *testing.T) {
	s := newStage(t)
	config := s.cluster.Config()
	other := *config
	other.Impersonate.UserName, other.Impersonate.Groups = "someone", []string{"system:masters"}
	someone := handOf(t, &other)
	pod := secret(s.namespace, "given-a-name")
	pod.Name, pod.GenerateName = "", "given-"
	allowed(t, someone, []write{
		{"scale", s.scale},
		{"change a spec", s.patch("Deployment", `{"spec":{"paused":true}}`)},
		{"create a secret", create(secret(s.namespace, "theirs"))},
		{"create one that the server names", create(pod)},
		{"create one in a dry run", create(secret(system, "moorgate-fence-probe"), client.DryRunAll)},
		{"change a secret in a dry run", patch(secret(s.namespace, "password"), `{"data":null}`, client.DryRunAll)},
		{"delete by the dozen", func(ctx context.Context, h hand) error {
			return h.client.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(s.namespace))
		}},
		{"create what has no namespace", create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "theirs-"}}, client.DryRunAll)},
		{"delete", remove(s.workload("Deployment"))},
		{"ask what they may do", askWhatItMayDo},
	})
}

func asksAlreadyExists(obj client.Object) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		if err := create(obj, client.DryRunAll)(ctx, h); !apierrors.IsAlreadyExists(err) {
			return err
		}
		return nil
	}
}

func askWhatItMayDo(ctx context.Context, h hand) error {
	_, err := h.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: "pods"}}}, metav1.CreateOptions{})
	return err
}

func registration(name string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}
}
