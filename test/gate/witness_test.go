package gate

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// TestWhatPeopleChangeIsWitnessed has a person change what Git declares, on a cluster whose API server tells two webhooks of it: what
// somebody put back within seconds, and what stands, are each a Case with the person's name. What was only tried, and what the
// cluster's own controllers do, leave none.
func TestWhatPeopleChangeIsWitnessed(t *testing.T) {
	h := moored(t)
	ns := h.c.Namespace(t, nil)
	source := &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "shop"}, Spec: v1alpha1.GitSourceSpec{URL: "https://127.0.0.1:1/shop.git", Branch: "main"}}
	if err := h.admin.Create(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	h.eventually(t, "the API server tells of changes", func() error {
		var config admissionregistrationv1.ValidatingWebhookConfiguration
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: "moorgate"}, &config); err != nil {
			return err
		}
		if len(config.Webhooks) < 2 {
			return errors.New("it does not yet")
		}
		return nil
	})
	run := func(args ...string) {
		t.Helper()
		if out, err := h.kubectl(t, "", append([]string{"-n", ns}, args...)...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	alice := []string{"--as", "alice", "--as-group", "system:masters"}
	flux := []string{"--as", "system:serviceaccount:flux-system:kustomize-controller", "--as-group", "system:masters"}
	run(append(flux, "create", "deployment", "web", "--image", "registry.example/web:1")...)
	told := func(path string, reverted bool) func() error {
		return func() error {
			var list v1alpha1.CaseList
			if err := h.admin.List(t.Context(), &list, client.InNamespace(ns), client.MatchingLabels{v1alpha1.LabelWitnessed: "true"}); err != nil {
				return err
			}
			n := 0
			for _, c := range list.Items {
				w := c.Spec.Witness
				if w == nil || w.User != "alice" {
					return fmt.Errorf("a Case tells of somebody else: %+v", w)
				}
				if slices.Contains(w.Paths, path) && (w.RevertedBy != "") == reverted {
					n++
				}
			}
			if n == 0 {
				return fmt.Errorf("of %d Cases none tells of %s", len(list.Items), path)
			}
			return nil
		}
	}
	image, replicas := "spec.template.spec.containers[name=web].image", "spec.replicas"
	h.eventually(t, "what was put back is told", func() error { // the webhooks may not know of the GitSource yet
		run(append(alice, "set", "image", "deployment/web", "web=registry.example/web:2", "--dry-run=server")...)
		run(append(alice, "set", "image", "deployment/web", "web=registry.example/web:3")...)
		run(append(flux, "set", "image", "deployment/web", "web=registry.example/web:1", "--field-manager=kustomize-controller")...)
		return told(image, true)()
	})
	run(append(alice, "scale", "deployment/web", "--replicas=3")...)
	h.eventually(t, "what stands is told", told(replicas, false))
}
