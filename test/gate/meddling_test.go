package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/ssa"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
)

// TestWhoMeddlesWithAWait shows that what others change while a client waits begins no second wait and opens no second Case.
func TestWhoMeddlesWithAWait(t *testing.T) {
	h := moored(t)
	t.Run("Flux waits by itself, and starts nothing that a model keeps out", func(t *testing.T) {
		h.answers(against(2 * time.Second))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		var u unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(deployment(ns, "web", "shop/backup:9.9.9")), &u.Object); err != nil {
			t.Fatal(err)
		}
		flux := ssa.NewResourceManager(h.admin, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
		_, err := flux.ApplyAllStaged(t.Context(), []*unstructured.Unstructured{&u}, ssa.ApplyOptions{Force: true, WaitInterval: 100 * time.Millisecond, WaitTimeout: patience})
		if err == nil || !strings.Contains(err.Error(), "another product") {
			t.Errorf("%v", err)
		}
		h.ended(t, ns, "web", "Denied")
	})
	t.Run("an injector that adds another label each time: one Case, one wait, and the opinion counts", func(t *testing.T) {
		h.answers(against(2 * time.Second))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		var err error
		out := ""
		for i := range 12 { // a client that comes again with what was injected anew
			manifest := strings.Replace(deployment(ns, "web", "shop/backup:9.9.9"), "metadata: {labels: {app: web}}", fmt.Sprintf("metadata: {labels: {app: web, injected: r%d}, annotations: {injected: a%d}}", i, i), 1)
			var d appsv1.Deployment
			if err := yaml.Unmarshal([]byte(manifest), &d); err != nil {
				t.Fatal(err)
			}
			err = h.impatient.Create(t.Context(), &d)
			if !apierrors.IsTooManyRequests(err) {
				out = fmt.Sprint(err)
				break
			}
			seconds, _ := apierrors.SuggestsClientDelay(err)
			time.Sleep(time.Duration(seconds) * time.Second) // as it was told to
		}
		if !strings.Contains(out, "another product") {
			t.Errorf("%s", out)
		}
		h.ended(t, ns, "web", "Denied")
	})
	t.Run("kubectl describe shows the refusal of a change", func(t *testing.T) {
		h.answers(sound(0))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"); err != nil {
			t.Fatal(out)
		}
		h.answers(against(0))
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-"); err == nil {
			t.Fatal(out)
		}
		h.eventually(t, "the Event is there", func() error {
			out, err := h.kubectl(t, "", "-n", ns, "describe", "deployment", "web")
			if err == nil && !(strings.Contains(out, "RolloutDenied") && strings.Contains(out, "another product")) {
				err = errors.New(out)
			}
			return err
		})
	})
	t.Run("a Guardrail that stops waiting lets it in", func(t *testing.T) {
		h.answers(never)
		ns := h.place(t, "onPending: Retry, pendingFor: 2m")
		said := make(chan error, 1)
		go func() { said <- tolerant(h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")) }()
		h.eventually(t, "it waits", func() error {
			if all := h.cases(t, ns, "web"); len(all) != 1 {
				return fmt.Errorf("%d Cases", len(all))
			}
			return nil
		})
		var g v1alpha1.Guardrail
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: ns}, &g); err != nil {
			t.Fatal(err)
		}
		patch := client.MergeFrom(g.DeepCopy())
		g.Spec.Admission.OnPending = "Warn"
		if err := h.admin.Patch(t.Context(), &g, patch); err != nil {
			t.Fatal(err)
		}
		if err := <-said; err != nil {
			t.Error(err)
		}
	})
}
