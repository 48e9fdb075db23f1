package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
)

// TestTheGateWaitsForAModel plays what people see while a model is asked. Every case has one Case and one wait.
func TestTheGateWaitsForAModel(t *testing.T) {
	h := moored(t)
	t.Run("a model that answers soon lets a sound rollout in", func(t *testing.T) {
		h.answers(sound(100 * time.Millisecond))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"); err != nil || strings.Contains(out, "Warning") {
			t.Fatalf("%v: %s", err, out)
		}
		c := h.ended(t, ns, "web", "Admitted")
		if c.Status.Alone != "" {
			t.Errorf("no model had a part in it: %s", c.Status.Alone)
		}
		h.marked(t, ns, "web", c.Name)
	})
	t.Run("kubectl waits by itself for a model that takes seconds, reads the reasons, and nothing was started", func(t *testing.T) {
		h.answers(against(3 * time.Second))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-")
		if err == nil || !strings.Contains(out, "the image is another product") {
			t.Fatalf("%v: %s", err, out)
		}
		h.ended(t, ns, "web", "Denied")
		if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "web"}, &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
			t.Errorf("it was started: %v", err)
		}
		asked := len(h.model.Requests())
		if again, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-"); err == nil {
			t.Errorf("the second time it went in: %s", again)
		}
		if more := len(h.model.Requests()) - asked; more != 0 {
			t.Errorf("the model was asked %d times more about the same", more)
		}
	})
	t.Run("client-go waits by itself", func(t *testing.T) {
		h.answers(against(1500 * time.Millisecond))
		ns := h.place(t, "onPending: Retry, pendingFor: 30s")
		var d appsv1.Deployment
		if err := yaml.Unmarshal([]byte(deployment(ns, "web", "shop/backup:9.9.9")), &d); err != nil {
			t.Fatal(err)
		}
		if err := h.admin.Create(t.Context(), &d); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "another product") {
			t.Errorf("%v", err)
		}
		h.ended(t, ns, "web", "Denied")
	})
	t.Run("L12 a model that never answers: the checks alone decide, and say so", func(t *testing.T) {
		h.answers(never)
		ns := h.place(t, "onPending: Retry, pendingFor: 6s")
		out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
		if err != nil || !strings.Contains(out, "the checks alone decided") {
			t.Fatalf("%v: %s", err, out)
		}
		h.ended(t, ns, "web", "Admitted")
	})
	t.Run("a change within the wait is part of it", func(t *testing.T) {
		h.answers(never)
		ns := h.place(t, "onPending: Retry, pendingFor: 8s")
		began := time.Now()
		first := make(chan error, 1)
		go func() {
			first <- tolerant(h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"))
		}()
		h.eventually(t, "it waits", func() error {
			if all := h.cases(t, ns, "web"); len(all) != 1 {
				return fmt.Errorf("%d Cases", len(all))
			}
			return nil
		})
		second := tolerant(h.kubectl(t, deployment(ns, "web", "shop/web:1.4.3"), "apply", "-f", "-"))
		if err := errors.Join(second, <-first); err != nil {
			t.Error(err)
		}
		for _, c := range h.cases(t, ns, "web") {
			if c.Spec.Signal.FirstSeen.Time.Sub(began) > 8*time.Second {
				t.Errorf("a wait began anew: %v", keys(h.cases(t, ns, "web")))
			}
		}
	})
	t.Run("Deny keeps it out until there is an opinion", func(t *testing.T) {
		h.answers(sound(time.Second))
		ns := h.place(t, "onPending: Deny, pendingFor: 60s")
		out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
		if err == nil || !strings.Contains(out, "a model is being asked") {
			t.Fatalf("%v: %s", err, out)
		}
		h.eventually(t, "it is let in", func() error {
			_, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
			return err
		})
		h.ended(t, ns, "web", "Admitted")
	})
	t.Run("Warn waits for nobody", func(t *testing.T) {
		h.answers(against(0))
		ns := h.place(t, "onPending: Warn")
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		h.eventually(t, "the opinion is on the Case", func() error {
			all := h.cases(t, ns, "web")
			if len(all) != 1 || !slices.ContainsFunc(all[0].Status.Findings, func(f v1alpha1.Finding) bool { return f.Nature == "advised" }) {
				return fmt.Errorf("%v", keys(all))
			}
			return nil
		})
	})
	t.Run("a dry run waits for nobody, asks nobody and leaves nothing", func(t *testing.T) {
		h.answers(against(0))
		ns := h.place(t, "onPending: Retry")
		asked := len(h.model.Requests())
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "--dry-run=server", "-f", "-"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if len(h.cases(t, ns, "web")) != 0 || len(h.model.Requests()) != asked {
			t.Errorf("%d Cases, %d questions", len(h.cases(t, ns, "web")), len(h.model.Requests())-asked)
		}
	})
	t.Run("Moorgate killed while a client waits: it is answered after the start, on the same Case", func(t *testing.T) {
		h.answers(against(2 * time.Second))
		ns := h.place(t, "onPending: Retry, pendingFor: 1m")
		said := make(chan string, 1)
		go func() {
			out, _ := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-")
			said <- out
		}()
		h.eventually(t, "it waits", func() error {
			if all := h.cases(t, ns, "web"); len(all) != 1 {
				return fmt.Errorf("%d Cases", len(all))
			}
			return nil
		})
		h.moorgate().Kill()
		h.start(t)
		// While nobody answered it may have been let in: that is failurePolicy Ignore, and the Case says what came of it.
		out := <-said
		if all := h.cases(t, ns, "web"); len(all) > 2 || (strings.Contains(out, "denied") && len(all) != 1) {
			t.Errorf("%s: %v", out, keys(all))
		}
	})
}

// tolerant is what went wrong with kubectl, but that somebody else created the same first.
func tolerant(out string, err error) error {
	if err == nil || strings.Contains(out, "already exists") {
		return nil
	}
	return fmt.Errorf("%w: %s", err, out)
}

// marked waits for the annotation that names the Case.
func (h *house) marked(t *testing.T, ns, name, kase string) {
	t.Helper()
	h.eventually(t, "the rollout carries its Case", func() error {
		var d appsv1.Deployment
		if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &d); err != nil {
			return err
		}
		if got := d.Annotations[v1alpha1.AnnotationCase]; got != kase {
			return fmt.Errorf("it names %q in place of %q", got, kase)
		}
		return nil
	})
}
