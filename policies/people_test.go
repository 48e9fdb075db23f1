package policies

import (
	"context"
	"slices"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook"
)

// TestPeoplesRoles binds each role as an admin would, and asks the API server, and in the end Moorgate's own code, what comes of it.
func TestPeoplesRoles(t *testing.T) {
	s := newStage(t)
	everything := map[string]authorizationv1.ResourceAttributes{
		"read Cases here":        {Group: "moorgate.dev", Resource: "cases", Namespace: s.namespace, Verb: "get"},
		"read Cases elsewhere":   {Group: "moorgate.dev", Resource: "cases", Namespace: "default", Verb: "get"},
		"write Cases":            {Group: "moorgate.dev", Resource: "cases", Namespace: s.namespace, Verb: "create"},
		"break the glass":        {Group: "moorgate.dev", Resource: "guardrails", Verb: "bypass"},
		"break the glass here":   {Group: "moorgate.dev", Resource: "guardrails", Namespace: s.namespace, Verb: "bypass"},
		"disarm":                 {Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: "moorgate", Verb: "patch"},
		"change another webhook": {Group: "admissionregistration.k8s.io", Resource: "validatingwebhookconfigurations", Name: "other", Verb: "patch"},
		"approve":                {Group: "moorgate.dev", Resource: "cases", Namespace: s.namespace, Verb: "approve"},
	}
	for _, c := range []struct {
		role string
		all  bool // in the whole cluster
		may  []string
	}{
		{"moorgate-readiness", false, []string{"read Cases here"}},
		{"moorgate-disarm", true, []string{"disarm"}},
		{"moorgate-break-glass", true, []string{"break the glass", "break the glass here"}},
		{"moorgate-break-glass", false, []string{"break the glass here"}}, // which opens nothing: the gate asks about the whole cluster
	} {
		name := c.role + "-" + s.namespace
		if c.all {
			s.everywhere(t, c.role, name)
		} else {
			name += "-here"
			s.bind(t, s.namespace, c.role, user(name))
		}
		h := s.person(t, name)
		s.eventually(t, h, everything[c.may[0]])
		for what, attributes := range everything {
			if got := may(t, h, attributes); got != slices.Contains(c.may, what) {
				t.Errorf("%s (in the whole cluster: %t) may %s: %t", c.role, c.all, what, got)
			}
		}
	}
	h := s.person(t, "moorgate-disarm-"+s.namespace)
	if err := webhook.Disarm(t.Context(), h.client, "", "a test"); err != nil {
		t.Error(err)
	}
	if err := webhook.Arm(t.Context(), h.client, ""); err != nil {
		t.Error(err)
	}
	if _, err := webhook.StandingOf(t.Context(), h.client, ""); err != nil {
		t.Error(err)
	}
	reader := s.person(t, "moorgate-readiness-"+s.namespace+"-here")
	if err := reader.client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: caseName}, &v1alpha1.Case{}); err != nil {
		t.Error(err)
	}
}

// everywhere gives a person a ClusterRole in the whole cluster, until the test ends.
func (s stage) everywhere(t *testing.T, role, person string) {
	t.Helper()
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: person},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: []rbacv1.Subject{user(person)}}
	if err := s.admin.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.client.Delete(context.WithoutCancel(t.Context()), binding) })
}

// eventually waits until a fresh binding has reached the authorizer.
func (s stage) eventually(t *testing.T, h hand, attributes authorizationv1.ResourceAttributes) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return may(t, h, attributes), nil
	}); err != nil {
		t.Fatal(err)
	}
}

func may(t *testing.T, h hand, attributes authorizationv1.ResourceAttributes) bool {
	t.Helper()
	ask := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
	answer, err := h.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), ask, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}
