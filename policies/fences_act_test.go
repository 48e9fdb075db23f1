package policies

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
)

var actAccount = rbacv1.Subject{Kind: "ServiceAccount", Namespace: system, Name: "moorgate-act"}

func TestAct(t *testing.T) {
	s := newStage(t)
	t.Run("may, with the rights of the chart", func(t *testing.T) { allowed(t, s.as(t, "moorgate-act"), s.actMay(t)) })
	t.Run("may not evict where it was not enabled", func(t *testing.T) {
		err := evict(s.namespace, "alone", "1")(t.Context(), s.as(t, "moorgate-act"))
		if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			t.Errorf("got %v, want a refusal by RBAC", err)
		}
	})
	t.Run("may not, whatever its rights", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-act"), s.actMayNot(), "moorgate-act", "moorgate-ledger", "moorgate-approvals")
	})
	t.Run("may evict where it was enabled, and does not take another pod for it", func(t *testing.T) {
		s.bind(t, s.namespace, "moorgate-act-evict", actAccount)
		h := s.as(t, "moorgate-act")
		s.waitFor(t, h, &authorizationv1.ResourceAttributes{Namespace: s.namespace, Verb: "create", Resource: "pods", Subresource: "eviction"})
		if err := evict(s.namespace, "alone", "00000000-0000-0000-0000-000000000000")(t.Context(), h); !apierrors.IsConflict(err) {
			t.Errorf("another pod: %v", err)
		}
		refused(t, h, s.evictions()[:1], "moorgate-act")
		allowed(t, h, []write{{"evict", evict(s.namespace, "alone", s.uidOf(t, "alone"))}})
	})
	t.Run("may change a template under a mark where going back was enabled, and nothing else", func(t *testing.T) {
		s.bind(t, s.namespace, "moorgate-act-roll-back", actAccount)
		h := s.as(t, "moorgate-act")
		s.waitFor(t, h, &authorizationv1.ResourceAttributes{Namespace: s.namespace, Verb: "patch", Group: "apps", Resource: "deployments"})
		refused(t, h, []write{{"its size", s.patch("Deployment", `{"spec":{"replicas":7}}`)}}, "moorgate-act")
		allowed(t, h, []write{{"try it", s.patch("Deployment", amendment(``, ``), client.DryRunAll)}, {"do it", s.patch("Deployment", amendment(``, ``))}})
		refused(t, h, []write{{"again under the same mark", s.patch("Deployment", strings.Replace(amendment(``, ``), `"x":"y"`, `"x":"z"`, 1))}}, "moorgate-act")
	})
}

// A tool allow-list was enforced elsewhere when tools were listed and not when they were called. What moorgate-act may do is
// enforced three times over, and each alone is enough.
func TestL09TheAllowListIsEnforcedAtExecutionInRBACAndInTheFence(t *testing.T) {
	s := newStage(t)
	t.Run("at execution, whatever rights and fences say", func(t *testing.T) {
		h := handOf(t, cluster.Guarded(s.cluster.Config(), cluster.OwnOfAct()))
		for _, w := range s.actMayNot() {
			t.Run(w.name, func(t *testing.T) {
				if err := w.do(t.Context(), h); !errors.Is(err, cluster.ErrNoPermit) {
					t.Errorf("got %v", err)
				}
			})
		}
	})
	t.Run("in RBAC", func(t *testing.T) {
		h := s.as(t, "moorgate-act")
		for _, w := range s.actMayNot() {
			if w.name == "take the judge's lease" {
				continue // RBAC has no word for creating under one name only
			}
			t.Run(w.name, func(t *testing.T) {
				if err := w.do(t.Context(), h); !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
					t.Errorf("got %v", err)
				}
			})
		}
	})
	t.Run("in the fence", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-act"), s.actMayNot(), "moorgate-act", "moorgate-ledger", "moorgate-approvals")
	})
}

// amendment is a change of a template under a mark, with more in the metadata of its object and in the template.
func amendment(more, inTemplate string) string {
	return `{"metadata":{` + more + `"annotations":{"moorgate.dev/last-action":"m"}},"spec":{"template":{"metadata":{"annotations":{"x":"y"}}` + inTemplate + `}}}`
}

func (s stage) actMay(t *testing.T) []write {
	event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "web.2"}, Reason: "Evicted",
		InvolvedObject: corev1.ObjectReference{Kind: "Deployment", Namespace: s.namespace, Name: "web"}}
	given := s.approval("act-test-ann")
	given.GenerateName, given.Name = "", "given"
	allowed(t, s.approver(t, "act-test-ann"), []write{{"approve, as a person", create(given)}})
	used := func(ctx context.Context, h hand) error {
		return h.client.Status().Patch(ctx, given.DeepCopy(), client.RawPatch(types.MergePatchType,
			[]byte(`{"status":{"used":{"at":"2026-11-26T12:00:00Z","reservation":"r-1"}}}`)))
	}
	return []write{
		{"write the status of a case", patchStatus(aCase(s.namespace, caseName), `{"status":{"decision":"Hold"}}`)},
		{"use up an approval", used},
		{"record an event", create(event)},
		{"count an event up", patch(event, `{"count":2}`)},
		{"take its lease", create(lease(system, "moorgate-act"))},
		{"renew its lease", patch(lease(system, "moorgate-act"), `{"spec":{"holderIdentity":"me"}}`)},
		{"spend from the ledger", amend("moorgate-ledger", "ledger", `{"entries":[]}`)},
		{"remember an anchor", amend(cluster.AnchorsName, "ca.act", "roots")},
		{"ask what it may do", askWhatItMayDo},
		{"ask who calls", func(ctx context.Context, h hand) error {
			_, err := h.kube.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: "x"}}, metav1.CreateOptions{})
			return err
		}},
		{"ask what a caller may do", func(ctx context.Context, h hand) error {
			_, err := h.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User: "x", NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/v1/audit", Verb: "get"}}}, metav1.CreateOptions{})
			return err
		}},
		{"see whether a fence stands", func(ctx context.Context, h hand) error {
			_, err := h.kube.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(ctx, "moorgate-approvals", metav1.GetOptions{})
			return err
		}},
	}
}

// actMayNot is what moorgate-act may never do: what none of the identities may, what only the others may, and evicting otherwise than
// it should.
func (s stage) actMayNot() []write {
	others := slices.DeleteFunc(s.forbidden(), func(w write) bool { return w.name == "take another's lease" }) // that is its own
	return append(append(others, s.evictions()...), []write{
		{"take the judge's lease", create(lease(system, "moorgate-judge"))},
		{"mark a deployment", s.mark(map[string]string{v1alpha1.AnnotationScore: "80"})},
		{"try a change of the spec in a dry run", s.patch("Deployment", `{"spec":{"replicas":7}}`, client.DryRunAll)},
		{"ask whether a secret exists", create(secret(s.namespace, "missing"), client.DryRunAll)},
		{"change a deployment's size under a mark", s.patch("Deployment", `{"metadata":{"annotations":{"moorgate.dev/last-action":"m"}},"spec":{"replicas":7}}`)},
		{"change a deployment's template without a mark", s.patch("Deployment", `{"spec":{"template":{"metadata":{"annotations":{"x":"y"}}}}}`)},
		{"change a deployment's labels with its template", s.patch("Deployment", amendment(`"labels":{"team":"evil"},`, ``))},
		{"run a deployment's pods under another name", s.patch("Deployment", amendment(``, `,"spec":{"serviceAccountName":"admin"}`))},
		{"give a deployment's pods the node's network", s.patch("Deployment", amendment(``, `,"spec":{"hostNetwork":true}`))},
		{"mark a deployment otherwise", s.patch("Deployment", `{"metadata":{"annotations":{"moorgate.dev/last-action":"m","team":"evil"}},"spec":{"template":{"metadata":{"annotations":{"x":"y"}}}}}`)},
		{"change a statefulset's template", s.patch("StatefulSet", amendment(``, ``))},
		{"delete a pod", remove(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "alone"}})},
		{"delete a pod in a dry run", func(ctx context.Context, h hand) error {
			return h.client.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "alone"}}, client.DryRunAll)
		}},
		{"open a case", create(aCase(s.namespace, "remediate-web-000000000000"))},
		{"delete a case", remove(aCase(s.namespace, caseName))},
		{"approve", create(s.approval("system:serviceaccount:moorgate-system:moorgate-act"))},
		{"write the status of a guardrail", patchStatus(&v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: "fences-test"}}, `{"status":{"observedGeneration":1}}`)},
		{"delete the ledger", remove(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "moorgate-ledger"}})},
		{"make another ledger", create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "moorgate-ledger"}})},
	}...)
}

// evictions are those that no right is enough for.
func (s stage) evictions() []write {
	return []write{
		{"evict without saying which pod is meant", evict(s.namespace, "alone", "")},
		{"evict in the control plane", evict("kube-system", "dns", "1")},
		{"evict among the nodes' leases", evict("kube-node-lease", "x", "1")},
		{"evict in public", evict("kube-public", "x", "1")},
		{"evict one of Moorgate's own", evict(system, "moorgate-judge", "1")},
	}
}

func evict(namespace, name, uid string) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		e := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if uid != "" {
			e.DeleteOptions = metav1.NewPreconditionDeleteOptions(uid)
		}
		return h.kube.PolicyV1().Evictions(namespace).Evict(ctx, e)
	}
}

func (s stage) uidOf(t *testing.T, pod string) string {
	t.Helper()
	got, err := s.admin.kube.CoreV1().Pods(s.namespace).Get(t.Context(), pod, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(got.UID)
}

// waitFor waits until a fresh binding has reached the authorizer.
func (s stage) waitFor(t *testing.T, h hand, right *authorizationv1.ResourceAttributes) {
	t.Helper()
	ask := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: right}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		answer, err := h.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, ask, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	}); err != nil {
		t.Fatalf("wait for a right: %v", err)
	}
}

// amend sets one value of one of Moorgate's ConfigMaps, as its books are kept: by an update of what was read.
func amend(name, key, value string) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error {
		maps := h.kube.CoreV1().ConfigMaps(system)
		got, err := maps.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got.Data == nil {
			got.Data = map[string]string{}
		}
		got.Data[key] = value
		_, err = maps.Update(ctx, got, metav1.UpdateOptions{})
		return err
	}
}
