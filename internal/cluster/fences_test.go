package cluster_test

import (
	"errors"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
)

// What was approved while a fence did not stand as it is shipped is nobody's word, and stays so when the fence is back.
func TestApprovalsCountOnlyUnderTheFences(t *testing.T) {
	c := newCourt(t)
	c.says(t, "alice")
	c.decides(t, 1, soon(), "Allow")
	t.Run("who repeats the installation changes nothing", func(t *testing.T) {
		if err := cluster.Install(t.Context(), c.config, charts.Files, cluster.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		c.decides(t, 1, soon(), "Allow")
	})
	t.Run("nor do those who know of no fences count them", func(t *testing.T) {
		without := c
		without.approvals.Fences = cluster.Fences{}
		without.decides(t, 1, soon(), "nobody said which fences vouch")
	})
	t.Run("a fence that was opened and put right by hand does not vouch for what came in between", func(t *testing.T) {
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "moorgate-approvals"}}
		if err := errors.Join(merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Ignore"}}`), merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Fail"}}`)); err != nil {
			t.Fatal(err)
		}
		c.decides(t, 1, soon(), "it was given before the fences stood as they do now")
	})
	for _, fence := range []string{"moorgate-approvals", "moorgate-approvals-accounts"} {
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: fence}}
		binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: fence}}
		for name, breach := range map[string]func() error{
			"is only warned by": func() error { return merge(t, c.admin, binding, `{"spec":{"validationActions":["Warn"]}}`) },
			"lets some users by": func() error {
				return merge(t, c.admin, policy, `{"spec":{"matchConditions":[{"name":"x","expression":"false"}]}}`)
			},
			"lets errors by": func() error { return merge(t, c.admin, policy, `{"spec":{"failurePolicy":"Ignore"}}`) },
			"spares a namespace": func() error {
				return merge(t, c.admin, binding, `{"spec":{"matchResources":{"namespaceSelector":{"matchLabels":{"a":"b"}}}}}`)
			},
			"spares by a label": func() error {
				return merge(t, c.admin, policy, `{"spec":{"matchConstraints":{"excludeResourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"resources":["approvals"],"operations":["*"]}]}}}`)
			},
			"is bound no more": func() error { return c.admin.Delete(t.Context(), binding) },
			"is gone":          func() error { return c.admin.Delete(t.Context(), policy) },
		} {
			t.Run(fence+" "+name, func(t *testing.T) {
				if err := breach(); err != nil {
					t.Fatal(err)
				}
				c.decides(t, 1, soon(), "that of alice does not count: the ")
				// What somebody added belongs to them, so that a mere installation leaves it there.
				if err := errors.Join(client.IgnoreNotFound(c.admin.Delete(t.Context(), policy)), client.IgnoreNotFound(c.admin.Delete(t.Context(), binding)),
					cluster.Install(t.Context(), c.config, charts.Files, cluster.InstallOptions{})); err != nil {
					t.Fatal(err)
				}
				c.decides(t, 1, soon(), "it was given before the fences stood as they do now")
			})
		}
	}
	t.Run("and count again once they have stood for a while", func(t *testing.T) {
		c.waitUntilVouchedFor(t)
		c.says(t, "alice")
		c.decides(t, 1, soon(), "Allow")
	})
	t.Run("a rejection counts whatever the fences do", func(t *testing.T) {
		c.says(t, "bob", rejects)
		without := c
		without.approvals.Fences = cluster.Fences{}
		without.decides(t, 1, soon(), "Deny: bob rejected it")
	})
}

func merge(t *testing.T, k client.Client, o client.Object, body string) error {
	return k.Patch(t.Context(), o.DeepCopyObject().(client.Object), client.RawPatch("application/merge-patch+json", []byte(body)))
}
