package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/test/helm"
)

// chart is a small chart of our own: a Deployment, the ConfigMap that it reads and the Service that leads to it.
const chart = "testdata/shop"

// helm runs helm in a namespace, with nothing of what this machine's user has set up for it.
func (h *house) helm(t *testing.T, ns string, args ...string) (string, error) {
	t.Helper()
	return helm.Run(t, append([]string{"--kubeconfig", h.c.Kubeconfig(), "--namespace", ns}, args...)...)
}

// TestHelmWaitsForAModel shows that Helm waits by itself while a model is asked, writes by server-side apply or as it did before, and says
// why it failed where it did.
func TestHelmWaitsForAModel(t *testing.T) {
	t.Parallel()
	h := moored(t)
	for way, flag := range map[string]string{"by server-side apply": "--server-side=true", "from the client's side": "--server-side=false"} {
		t.Run(way+": a release that a model finds sound is installed, an upgrade that it keeps out leaves the old one running", func(t *testing.T) {
			t.Parallel()
			ns := h.place(t, "onPending: Retry, pendingFor: 30s", sound(3*time.Second))
			if out, err := h.helm(t, ns, "install", "web", chart, flag); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			h.ended(t, ns, "web", "Admitted")
			h.answers(ns, against(3*time.Second))
			out, err := h.helm(t, ns, "upgrade", "web", chart, "--server-side=auto", "--set", "image=registry.example/shop/backup:9.9.9")
			if err == nil || !strings.Contains(out, "the image is another product") {
				t.Errorf("%v: %s", err, out)
			}
			h.endings(t, ns, "web", "Admitted", "Denied")
			h.runs(t, ns, "web", "registry.example/shop/web:1.4.2")
			if out, err := h.helm(t, ns, "history", "web"); err != nil || strings.Count(out, "deployed") != 1 || !strings.Contains(out, `Upgrade "web" failed`) {
				t.Errorf("%v: %s", err, out)
			}
		})
		t.Run(way+": an install that a model keeps out starts nothing", func(t *testing.T) {
			t.Parallel()
			ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(3*time.Second))
			out, err := h.helm(t, ns, "install", "web", chart, flag, "--set", "image=registry.example/shop/backup:9.9.9")
			if err == nil || !strings.Contains(out, "the image is another product") {
				t.Errorf("%v: %s", err, out)
			}
			h.ended(t, ns, "web", "Denied")
			h.absent(t, ns, "web")
			if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "web"}, &corev1.ConfigMap{}); err != nil {
				t.Errorf("what Helm applies before it is not there: %v", err)
			}
		})
	}
}

// absent shows that a Deployment was never started.
func (h *house) absent(t *testing.T, ns, name string) {
	t.Helper()
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("it was started: %v", err)
	}
}

// runs shows which image a Deployment runs.
func (h *house) runs(t *testing.T, ns, name, image string) {
	t.Helper()
	var d appsv1.Deployment
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &d); err != nil {
		t.Fatal(err)
	}
	if got := d.Spec.Template.Spec.Containers[0].Image; got != image {
		t.Errorf("it runs %s", got)
	}
}

// endings waits until the Cases about a workload, one for each change in turn, say what their clients were answered in the end.
func (h *house) endings(t *testing.T, ns, name string, said ...string) {
	t.Helper()
	h.eventually(t, fmt.Sprintf("the Cases of %s say %v", name, said), func() error {
		all := h.cases(t, ns, name)
		var got []string
		for _, c := range all {
			if c.Spec.Answer.Said == "Retried" { // a size that comes in afterwards has a Case too
				got = append(got, c.Status.Answer)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(said) {
			return errors.New(fmt.Sprint(keys(all)))
		}
		return nil
	})
}
