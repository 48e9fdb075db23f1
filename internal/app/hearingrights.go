package app

import (
	"context"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"

	"moorgate.dev/api/v1alpha1"
)

// mayThey finds out who this is, and whether they have the rights that it takes. What the API server itself says in the end is
// what counts; but it says so only once, and in fewer words.
func (h *hearing) mayThey(ctx context.Context) error {
	who := &authenticationv1.SelfSubjectReview{}
	if err := h.client.Create(ctx, who); err != nil {
		return fmt.Errorf("ask the API server who you are: %w", err)
	}
	h.user = who.Status.UserInfo.Username
	for _, right := range []authorizationv1.ResourceAttributes{{Verb: "approve", Resource: "cases", Name: h.about.Name}, {Verb: "create", Resource: "approvals"}} {
		right.Group, right.Namespace = v1alpha1.GroupVersion.Group, h.about.Namespace
		asked := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right}}
		if err := h.client.Create(ctx, asked); err != nil {
			return fmt.Errorf("ask the API server what you may do: %w", err)
		}
		if !asked.Status.Allowed {
			return fmt.Errorf("you are %s, and may not; %s", shown(h.user), howToGrant(h.about.Namespace, "the verb "+right.Verb+" on "+right.Resource, approverRole, h.user))
		}
	}
	return nil
}

// The ClusterRoles by which people may approve, and by which they may only read Cases.
const approverRole, readerRole = "moorgate-approver", "moorgate-readiness"

// howToGrant says which right is missing, and what an administrator would run.
func howToGrant(namespace, right, role, user string) string {
	if user == "" {
		user = "NAME"
	}
	flag := "--user=" + shellName(user)
	if of, account := strings.CutPrefix(user, "system:serviceaccount:"); account {
		flag = "--serviceaccount=" + shellName(of)
	}
	return fmt.Sprintf("it takes %s in namespace %s, which an administrator gives by\n  kubectl create rolebinding %ss -n %s --clusterrole=%s %s", right, namespace, role, namespace, role, flag)
}

// shellName is a name as a shell takes it, quoted only where it must be.
func shellName(s string) string {
	s = shown(s)
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+:,./-") == "" {
		return s
	}
	return quoted(s)
}
