package remediate_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// mayRollBack lets Deployments be taken back without asking.
func mayRollBack(g *v1alpha1.GuardrailSpec) {
	g.Actions = []v1alpha1.AllowedAction{{Verb: "roll-back", Kinds: []string{"Deployment"}}}
}

// badRollout is a Deployment of which the second revision crash-loops beside the first, which still works.
func (h *house) badRollout(name string) *appsv1.Deployment {
	h.t.Helper()
	d := h.deployment(name, 2, "", func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
		d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "TOKEN", Value: planted}}
	})
	h.pods(name, 2, ready)
	h.rollOut(d, func(d *appsv1.Deployment) {
		d.Spec.Template.Labels[cluster.FaultLabel] = string(cluster.CrashLoop)
		d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:2"
	})
	return d
}

func (h *house) now(d *appsv1.Deployment) *appsv1.Deployment {
	h.t.Helper()
	now := &appsv1.Deployment{}
	if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(d), now); err != nil {
		h.t.Fatal(err)
	}
	return now
}

func (h *house) image(d *appsv1.Deployment) string {
	return h.now(d).Spec.Template.Spec.Containers[0].Image
}

const (
	works = "registry.example/app:1"
	fails = "registry.example/app:2"
)

func TestGoingBackHeals(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(mayRollBack)
	d := h.badRollout("web")
	h.judging()
	dir, stop := h.acting()
	a := h.acted("web", v1alpha1.PhaseHealed)
	now := h.now(d)
	i := a.Intent
	if h.image(d) != works || *now.Spec.Replicas != 2 || a.Attempts != 1 || i.Was == "" || i.Is == "" || i.Was == i.Is || i.Undo == "" {
		t.Errorf("acting %+v, the image is %s", a, h.image(d))
	}
	if i.Mark == "" || now.Annotations[v1alpha1.AnnotationLastAction] != i.Mark || now.Spec.Template.Annotations[v1alpha1.AnnotationLastAction] != "" {
		t.Errorf("the mark is %q on the Case and %q on the Deployment", i.Mark, now.Annotations[v1alpha1.AnnotationLastAction])
	}
	if _, there := now.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; there {
		t.Error("the template carries the label of a revision")
	}
	var owners []string
	for _, f := range now.ManagedFields {
		if strings.Contains(f.FieldsV1.GetRawString(), "last-action") {
			owners = append(owners, f.Manager)
		}
	}
	if !slices.Equal(owners, []string{"moorgate"}) {
		t.Errorf("the mark is owned by %v", owners)
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultHealed || s[0].Verb != "roll-back" {
		t.Errorf("the ledger has %+v", s)
	}
	stop()
	records, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if kinds := kindsOf(records); !slices.Equal(kinds, []gate.RecordKind{gate.RecordIntent, gate.RecordOutcome, gate.RecordVerification}) {
		t.Errorf("the log has %v", kinds)
	}
	if strings.Contains(fmt.Sprintf("%+v %+v", records, h.cases()), planted) {
		t.Error("a value of the environment left")
	}
}

// TestSomebodyWasFaster shows a foreign edit between the last look and the request: the API server refuses, and what they wrote stays.
func TestSomebodyWasFaster(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(mayRollBack)
	d := h.badRollout("web")
	h.judging()
	h.acting(func(a *assembly) {
		a.at = func(point string) {
			if point == afterClaim {
				h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:3" })
			}
		}
	})
	a := h.acted("web", v1alpha1.PhaseRefused)
	if now := h.now(d); h.image(d) != "registry.example/app:3" || now.Annotations[v1alpha1.AnnotationLastAction] != "" {
		t.Errorf("the image is %s, acting %+v", h.image(d), a)
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultRefused {
		t.Errorf("the ledger has %+v", s)
	}
}

// TestHandsOffWhatSomebodyHasAHandOn shows rollouts that are left alone, and why.
func TestHandsOffWhatSomebodyHasAHandOn(t *testing.T) {
	for name, c := range map[string]struct {
		handsOff time.Duration
		change   func(h *house, d *appsv1.Deployment)
		rule     string
	}{
		"somebody wrote it lately": {0, func(*house, *appsv1.Deployment) {}, "steady"}, // 0 is the default
		"it is paused": {time.Second, func(h *house, d *appsv1.Deployment) {
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Paused = true })
		}, "steady"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.trusted()
			h.guardrail(mayRollBack)
			d := h.badRollout("web")
			h.judging()
			c.change(h, d)
			h.acting(func(a *assembly) {
				a.change = func(_ *acting.Acts, hands *remediate.Hands) { hands.HandsOff = c.handsOff }
			})
			h.eventually("the going back to be held", func() error {
				if a := h.acted("web", v1alpha1.PhaseHeld); !slices.Equal(rulesOf(a), []string{c.rule}) {
					return fmt.Errorf("it is held by %v: %s", rulesOf(a), a.Text)
				}
				return nil
			})
			if h.image(d) != fails || len(h.spent()) > 0 {
				t.Errorf("the image is %s, the ledger has %+v", h.image(d), h.spent())
			}
		})
	}
}

// TestKilledWhileGoingBack is the crash matrix of what changes a template: what became of it is read from the object, and it is never
// sent again.
func TestKilledWhileGoingBack(t *testing.T) {
	for _, c := range []struct {
		point   string
		image   string
		phase   string
		ledger  gate.Result
		outcome []gate.Outcome
	}{
		{afterIntent, fails, v1alpha1.PhaseHeld, gate.ResultRefused, []gate.Outcome{gate.OutcomeRefused}},
		{afterClaim, fails, v1alpha1.PhaseRefused, gate.ResultRefused, []gate.Outcome{gate.OutcomeRefused}},
		{afterRequest, works, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
		{afterOutcome, works, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
	} {
		t.Run(c.point, func(t *testing.T) {
			h := newHouse(t)
			h.trusted()
			h.guardrail(mayRollBack)
			d := h.badRollout("web")
			h.judging()
			dir := filepath.Join(t.TempDir(), "audit")
			if err := h.process(c.point, dir).Wait(); !killed(err) {
				t.Fatalf("the process was not killed: %v", err)
			}
			second := h.process(lives, dir)
			a := h.acted("web", c.phase)
			h.eventually("every intent to have an outcome", func() error { return h.paired(dir, c.outcome) })
			h.overTwoSweeps()
			_ = second.Process.Signal(os.Interrupt)
			if err := second.Wait(); err != nil {
				t.Errorf("the second process ended with %v", err)
			}
			if h.image(d) != c.image || a.Attempts > 1 {
				t.Errorf("the image is %s, acting %+v", h.image(d), a)
			}
			if s := h.spent(); len(s) != 1 || s[0].Result != c.ledger {
				t.Errorf("the ledger has %+v", s)
			}
			if report, err := audit.Verify(dir); err != nil || len(report.Open) > 0 || len(report.Findings) > 0 {
				t.Errorf("the log has open intents %v and findings %v: %v", report.Open, report.Findings, err)
			}
		})
	}
}

// TestALostReplyAndAnotherHand shows a change of which no answer came and that somebody else has changed since: nobody claims to know.
func TestALostReplyAndAnotherHand(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(mayRollBack)
	d := h.badRollout("web")
	h.judging()
	h.acting(func(a *assembly) {
		a.answer = func(http.RoundTripper, *http.Request) (*http.Response, error) {
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:3" })
			return nil, errors.New("connection reset by peer")
		}
	})
	a := h.acted("web", v1alpha1.PhaseUnclear)
	if h.image(d) != "registry.example/app:3" || !strings.Contains(a.Text, "somebody has changed it since") {
		t.Errorf("the image is %s, acting %+v", h.image(d), a)
	}
}
