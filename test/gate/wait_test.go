package gate

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
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

// TestTheGateWaitsForAModel plays what people see while a model is asked. Every case has one Case and one wait.
func TestTheGateWaitsForAModel(t *testing.T) {
	t.Parallel()
	h := moored(t)
	play := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
	h.playSlow(t, play)
	play("a model that answers soon lets a sound rollout in", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", sound(100*time.Millisecond))
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"); err != nil || strings.Contains(out, "Warning") {
			t.Fatalf("%v: %s", err, out)
		}
		c := h.ended(t, ns, "web", "Admitted")
		if c.Status.Alone != "" {
			t.Errorf("no model had a part in it: %s", c.Status.Alone)
		}
		h.marked(t, ns, "web", c.Name)
	})
	play("kubectl waits by itself for a model that takes seconds, reads the reasons, and nothing was started", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(3*time.Second))
		out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-")
		if err == nil || !strings.Contains(out, "the image is another product") {
			t.Fatalf("%v: %s", err, out)
		}
		h.ended(t, ns, "web", "Denied")
		h.absent(t, ns, "web")
		asked := h.questions(ns)
		if again, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "-f", "-"); err == nil {
			t.Errorf("the second time it went in: %s", again)
		}
		if more := h.questions(ns) - asked; asked == 0 || more != 0 {
			t.Errorf("the model was asked %d times, and %d times more about the same", asked, more)
		}
	})
	play("client-go waits by itself", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(1500*time.Millisecond))
		if err := h.admin.Create(t.Context(), parsed(t, deployment(ns, "web", "shop/backup:9.9.9"))); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "another product") {
			t.Errorf("%v", err)
		}
		h.ended(t, ns, "web", "Denied")
	})
	play("Flux waits by itself, and starts nothing that a model keeps out", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(2*time.Second))
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
		h.absent(t, ns, "web")
	})
	play("Deny keeps it out until there is an opinion", func(t *testing.T) {
		ns := h.place(t, "onPending: Deny, pendingFor: 60s", sound(time.Second))
		out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
		if err == nil || !strings.Contains(out, "a model is being asked") {
			t.Fatalf("%v: %s", err, out)
		}
		told := h.told(t, ns, "web")
		if !strings.Contains(told, "no model has been heard yet") || !strings.Contains(told, "Deny") {
			t.Errorf("the audit log tells of the refusal:\n%s", told)
		}
		h.eventually(t, "it is let in", func() error {
			_, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
			return err
		})
		h.ended(t, ns, "web", "Admitted")
	})
	play("Warn waits for nobody", func(t *testing.T) {
		ns := h.place(t, "onPending: Warn", against(0))
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
	play("a dry run waits for nobody, asks nobody and leaves nothing", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry", against(0))
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/backup:9.9.9"), "apply", "--dry-run=server", "-f", "-"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if len(h.cases(t, ns, "web")) != 0 || h.questions(ns) != 0 {
			t.Errorf("%d Cases, %d questions", len(h.cases(t, ns, "web")), h.questions(ns))
		}
	})
	play("kubectl describe shows the refusal of a change", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", sound(0))
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"); err != nil {
			t.Fatal(out)
		}
		h.answers(ns, against(0))
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
}

// playSlow begins before all others, which the judge asks about a few at a time: the model is to have its 20 s of the 30.
func (h *house) playSlow(t *testing.T, play func(name string, run func(t *testing.T))) {
	ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(20*time.Second))
	began := time.Now()
	said := h.applying(t, deployment(ns, "web", "shop/backup:9.9.9"))
	h.asks(t, ns)
	play("kubectl waits by itself for a model that takes 20 s: one Case, one deadline", func(t *testing.T) {
		out := <-said
		if took := time.Since(began); !strings.Contains(out, "the image is another product") || took < 20*time.Second {
			t.Fatalf("after %s: %s", took, out)
		}
		h.ended(t, ns, "web", "Denied")
		h.absent(t, ns, "web")
		if asked := h.questions(ns); asked != 1 {
			t.Errorf("the model was asked %d times", asked)
		}
	})
}

// told is what the audit log tells of the one Case of a workload.
func (h *house) told(t *testing.T, ns, name string) (story string) {
	t.Helper()
	h.eventually(t, "the log tells of "+name, func() error {
		all := h.cases(t, ns, name)
		if len(all) != 1 {
			return fmt.Errorf("there are %d Cases: %v", len(all), keys(all))
		}
		args := []string{"audit", "why", ns + "/" + all[0].Name}
		for _, name := range append(webhooks, judge) {
			args = append(args, "--dir", h.part(name).AuditDir)
		}
		out, err := exec.CommandContext(t.Context(), h.binary, args...).CombinedOutput()
		if story = string(out); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return story
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
