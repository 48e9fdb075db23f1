package policies

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

const (
	caseName = "webhook-web-000000000000"
	aPlan    = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
)

// approval is what somebody says on the Case of the stage; the server gives it a name.
func (s stage) approval(approver string) *v1alpha1.Approval {
	return &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, GenerateName: "approval-"},
		Spec: v1alpha1.ApprovalSpec{Case: caseName, Plan: aPlan, Approver: approver}}
}

// person is somebody with a name, in groups.
func (s stage) person(t *testing.T, name string, groups ...string) hand {
	t.Helper()
	config := rest.CopyConfig(s.cluster.Config())
	config.Impersonate.UserName, config.Impersonate.Groups = name, slices.Concat(groups, []string{"system:authenticated"})
	return handOf(t, config)
}

// bind gives subjects a ClusterRole in a namespace, until the namespace goes.
func (s stage) bind(t *testing.T, namespace, role string, subjects ...rbacv1.Subject) {
	t.Helper()
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: subjects}
	if err := s.admin.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}
}

func group(name string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "Group", Name: name}
}

// approver is a person who may approve in the namespace of the stage.
func (s stage) approver(t *testing.T, name string) hand {
	t.Helper()
	s.bind(t, s.namespace, "moorgate-approver", user(name))
	h := s.person(t, name)
	waitForRight(t, h, s.namespace, "approve", "cases")
	return h
}

// waitForRight waits until a fresh binding has reached the authorizer.
func waitForRight(t *testing.T, h hand, namespace, verb, resource string) {
	t.Helper()
	ask := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: "moorgate.dev", Resource: resource, Name: caseName}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		answer, err := h.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, ask, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	}); err != nil {
		t.Fatalf("wait for the right to %s %s in %q: %v", verb, resource, namespace, err)
	}
}

// The approve tool of another operator was callable by its model, and an annotation counted as approval. Here the API server
// vouches for who approves.
func TestL18OnlyAVouchedForHumanApproves(t *testing.T) {
	s := newStage(t)
	alice := s.approver(t, "alice")
	s.bind(t, s.namespace, "moorgate-approver", group("shop-oncall"))
	oncall := s.person(t, "dora", "shop-oncall")
	waitForRight(t, oncall, s.namespace, "approve", "cases")
	t.Run("the right person may", func(t *testing.T) {
		named := s.approval("alice")
		named.GenerateName, named.Name = "", "named"
		rejection := s.approval("alice")
		rejection.Spec.Decision = v1alpha1.DecisionReject
		allowed(t, alice, []write{
			{"approve", create(s.approval("alice"))},
			{"try it in a dry run", create(s.approval("alice"), client.DryRunAll)},
			{"approve under a name", create(named)},
			{"apply it server-side, as kubectl does", func(ctx context.Context, h hand) error {
				return h.client.Create(ctx, asManifest(s.namespace, "alice"))
			}},
			{"reject", create(rejection)},
		})
		allowed(t, oncall, []write{{"approve by the right of a group", create(s.approval("dora"))}})
		t.Run("but cannot say that it was used", func(t *testing.T) { s.bornUsed(t, alice) })
	})
	t.Run("who forges the approver may not", func(t *testing.T) {
		labelled := s.approval("bob")
		labelled.Labels = map[string]string{v1alpha1.LabelApprover: v1alpha1.ApproverServiceAccount}
		writes := []write{{"in another's name", create(s.approval("bob"))}, {"in a dry run", create(s.approval("bob"), client.DryRunAll)},
			{"in other letters", create(s.approval("Alice"))}, {"in a longer name", create(s.approval("alice "))},
			{"with a label that says that it is no person", create(labelled)}}
		refused(t, alice, writes, "moorgate-approvals", "moorgate-approvals-accounts")
		refused(t, s.admin, []write{{"as an administrator", create(s.approval("alice"))}}, "moorgate-approvals")
	})
	t.Run("who may approve elsewhere may not", func(t *testing.T) {
		s.role(t, "approvals-only", rbacv1.PolicyRule{APIGroups: []string{"moorgate.dev"}, Resources: []string{"approvals"}, Verbs: []string{"create"}})
		s.role(t, "another-case", rbacv1.PolicyRule{APIGroups: []string{"moorgate.dev"}, Resources: []string{"cases"}, Verbs: []string{"approve"}, ResourceNames: []string{"webhook-web-999999999999"}},
			rbacv1.PolicyRule{APIGroups: []string{"moorgate.dev"}, Resources: []string{"approvals"}, Verbs: []string{"create"}})
		elsewhere := s.cluster.Namespace(t, nil)
		s.bind(t, elsewhere, "moorgate-approver", user("bob"))
		s.bind(t, s.namespace, "approvals-only", user("bob"), user("carol"))
		s.bind(t, s.namespace, "another-case", user("erin"))
		for name, why := range map[string]string{"bob": "in another namespace", "carol": "nowhere", "erin": "another Case"} {
			h := s.person(t, name)
			waitForRight(t, h, s.namespace, "create", "approvals")
			refused(t, h, []write{{why, create(s.approval(name))}}, "moorgate-approvals")
		}
		t.Run("but that other Case by its name", func(t *testing.T) {
			other := s.approval("erin")
			other.Spec.Case = "webhook-web-999999999999"
			allowed(t, s.person(t, "erin"), []write{{"approves", create(other)}})
		})
	})
	t.Run("what is no person may not, whatever its rights", func(t *testing.T) {
		for name, h := range s.machines(t) {
			refused(t, h, []write{{name, create(s.approval(name))}, {name + " in a dry run", create(s.approval(name), client.DryRunAll)}}, "moorgate-approvals", "moorgate-act")
		}
	})
	t.Run("an unknown field may be what was meant to bound it", func(t *testing.T) {
		u := asManifest(s.namespace, "alice")
		_ = unstructured.SetNestedField(u.Object, "replicas<3", "spec", "onlyIf")
		refusedNaming(t, alice.client.Create(t.Context(), u, client.FieldValidation("Ignore")), "", "spec.onlyIf")
	})
	t.Run("nobody under the names of the probes", func(t *testing.T) {
		for _, fence := range []string{"moorgate-approvals", "moorgate-approvals-accounts"} {
			probe := s.approval("kubernetes-admin")
			probe.GenerateName, probe.Namespace, probe.Name = "", system, "moorgate-fence-probe-"+strings.TrimPrefix(fence, "moorgate-")
			probe.Labels = map[string]string{v1alpha1.LabelApprover: v1alpha1.ApproverServiceAccount}
			refused(t, s.admin, []write{{fence, create(probe)}}, "moorgate-approvals", "moorgate-approvals-accounts")
		}
	})
}

// machines are identities with every right in the cluster that are no people.
func (s stage) machines(t *testing.T) map[string]hand {
	masters := func(name string, groups ...string) hand {
		return s.person(t, name, append(groups, "system:masters")...)
	}
	return map[string]hand{
		"system:serviceaccount:flux-system:kustomize-controller": masters("system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccounts"),
		"system:serviceaccount:shop:default":                     masters("system:serviceaccount:shop:default"),
		"system:node:node-1":                                     masters("system:node:node-1", "system:nodes"),
		"system:kube-controller-manager":                         masters("system:kube-controller-manager"),
		"system:anonymous":                                       masters("system:anonymous", "system:unauthenticated"),
		"system:admin":                                           masters("system:admin"),
		"somebody-in-the-group-of-nodes":                         masters("somebody-in-the-group-of-nodes", "system:nodes"),
		"somebody-in-the-group-of-serviceaccounts":               masters("somebody-in-the-group-of-serviceaccounts", "system:serviceaccounts"),
		"system:serviceaccount:moorgate-system:moorgate-act":     s.unbound(t, "moorgate-act"),
		"system:serviceaccount:moorgate-system:another":          s.unbound(t, "another"),
	}
}

// asManifest is an Approval as people write one in YAML.
func asManifest(namespace, approver string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "moorgate.dev/v1alpha1", "kind": "Approval",
		"metadata": map[string]any{"namespace": namespace, "generateName": "approval-"},
		"spec":     map[string]any{"case": caseName, "plan": aPlan, "approver": approver}}}
}

// bornUsed shows that what a creation says about the use of an Approval is not kept.
func (s stage) bornUsed(t *testing.T, h hand) {
	forged := s.approval("alice")
	forged.Status.Used = &v1alpha1.ApprovalUse{Reservation: "r-1", At: metav1.Unix(1, 0)}
	if err := h.client.Create(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	if forged.Status.Used != nil {
		t.Errorf("it came into being used: %+v", forged.Status)
	}
}

func (s stage) role(t *testing.T, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	if err := s.admin.client.Create(t.Context(), role); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.client.Delete(context.WithoutCancel(t.Context()), role) })
}

// What was said stands as it was said, and is used once.
func TestL18AnApprovalCannotBeChanged(t *testing.T) {
	s := newStage(t)
	said := s.approval("alice")
	if err := s.approver(t, "alice").client.Create(t.Context(), said); err != nil {
		t.Fatal(err)
	}
	key := &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: said.Namespace, Name: said.Name}}
	use := func(reservation string) string {
		return `{"status":{"used":{"reservation":"` + reservation + `","at":"2026-11-26T12:00:00Z"}}}`
	}
	owner := s.owner(t)
	t.Run("its spec, by anybody", func(t *testing.T) {
		for _, body := range []string{`{"spec":{"approver":"owner"}}`, `{"spec":{"plan":"sha256:` + strings.Repeat("2", 64) + `"}}`, `{"spec":{"ttlSeconds":86400}}`, `{"spec":{"decision":"Reject"}}`, `{"spec":{"reason":"x"}}`} {
			for name, h := range map[string]hand{"owner": owner, "admin": s.admin} {
				if err := patch(key, body)(t.Context(), h); err == nil {
					t.Errorf("%s could %s", name, body)
				}
			}
		}
	})
	t.Run("its labels and annotations say nothing", func(t *testing.T) {
		allowed(t, owner, []write{{"so they may change", patch(key, `{"metadata":{"labels":{"x":"y"},"annotations":{"approved":"true"}}}`)}})
	})
	t.Run("its status, by whoever owns the namespace", func(t *testing.T) {
		refused(t, owner, []write{{"used", patchStatus(key, use("mine"))}}, "moorgate-approvals")
		allowed(t, owner, []write{{"unless nothing changes", patchStatus(key, `{}`)}})
	})
	t.Run("by act", func(t *testing.T) {
		act := s.unbound(t, "moorgate-act")
		refused(t, act, []write{{"its labels", patch(key, `{"metadata":{"labels":{"x":"z"}}}`)}, {"a new one", create(s.approval("system:serviceaccount:moorgate-system:moorgate-act"))}}, "moorgate-approvals", "moorgate-act")
		allowed(t, act, []write{{"use it", patchStatus(key, use("r-1"))}, {"say the same again", patchStatus(key, use("r-1"))}})
		again := []write{{"for another", patchStatus(key, use("r-2"))}, {"at another time", patchStatus(key, `{"status":{"used":{"at":"2026-11-27T12:00:00Z"}}}`)},
			{"not at all", patchStatus(key, `{"status":{"used":null}}`)}, {"by nothing", patchStatus(key, `{"status":null}`)}}
		t.Run("a second time", func(t *testing.T) { refused(t, act, again, "moorgate-approvals") })
		t.Run("a second time, by an administrator", func(t *testing.T) { refused(t, s.admin, again, "moorgate-approvals") })
	})
	t.Run("whoever may break the glass may use it up", func(t *testing.T) {
		other := s.approval("alice")
		if err := s.person(t, "alice").client.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		allowed(t, s.admin, []write{{"an administrator", patchStatus(other, use("by hand"))}})
	})
	t.Run("judge and webhook, whatever their rights", func(t *testing.T) {
		for _, account := range []string{"moorgate-judge", "moorgate-webhook"} {
			refused(t, s.unbound(t, account), []write{{account + " approves", create(s.approval("system:serviceaccount:moorgate-system:" + account))},
				{account + " uses", patchStatus(key, use("r-3"))}}, "moorgate-approvals", account)
		}
	})
	t.Run("deletion is free", func(t *testing.T) { allowed(t, owner, []write{{"the owner", remove(key)}}) })
}
