package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// frozenRail enforces, and a freeze window is open until one o'clock.
func frozenRail(deny bool) gate.Policy {
	p := rail(gate.AdmissionEnforce)
	p.Rails[0].DenyFrozen = deny
	p.Rails[0].Freezes = []gate.Interval{{From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Reason: "sale"}}
	return p
}

// The window is open, and nothing else speaks against the rollout.
func TestWhatAFreezeWindowIsAbout(t *testing.T) {
	was := deployment("shop", "web")
	with := func(change func(*appsv1.Deployment)) *appsv1.Deployment {
		d := was.DeepCopy()
		change(d)
		return d
	}
	next := with(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:1.2.4" })
	paused := func(d *appsv1.Deployment) *appsv1.Deployment {
		d = d.DeepCopy()
		d.Spec.Paused = true
		return d
	}
	for name, tt := range map[string]struct {
		old, obj *appsv1.Deployment
		user     string
		frozen   bool
	}{
		"something new":    {nil, was, "", true},
		"another template": {was, next, "", true},
		"more of the same": {was, with(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(9)) }), "", false},
		"a restart": {was, with(func(d *appsv1.Deployment) {
			d.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
		}), "", false},
		"another template, once it is resumed": {was, paused(next), "", false},
		"what a pause held back":               {paused(next), next, "", true},
		"a component of the cluster":           {was, next, "system:serviceaccount:kube-system:cronjob-controller", false},
		"a controller that is none":            {was, next, "system:serviceaccount:shop:operator", true},
	} {
		for mode, deny := range map[string]bool{"Warn": false, "Deny": true} {
			t.Run(name+" under "+mode, func(t *testing.T) {
				b := newBench(t, frozenRail(deny))
				op := admissionv1.Update
				if tt.old == nil {
					op = admissionv1.Create
				}
				req := request(t, op, tt.old, tt.obj)
				if tt.user != "" {
					req.UserInfo.Username = tt.user
				}
				resp := b.Handle(t.Context(), req)
				said := strings.Join(append(resp.Warnings, resp.Result.Message), "\n")
				if resp.Allowed == (tt.frozen && deny) || strings.Contains(said, "frozen until 2026-11-23T13:00:00Z: sale") != tt.frozen {
					t.Errorf("allowed %t: %s", resp.Allowed, said)
				}
			})
		}
	}
}

func TestARefusalForTheTimeSaysWhatToDo(t *testing.T) {
	for name, tt := range map[string]struct {
		obj   *appsv1.Deployment
		says  []string
		never []string
	}{
		"nothing else was found":     {deployment("shop", "web"), []string{"Guardrail production: frozen until", thawed}, []string{"Mend this", "Found besides"}},
		"it would be refused anyway": {poor("shop", "web"), []string{"frozen until", thawed, "Mend this and apply again:\n  - "}, []string{"Found besides"}},
		"something else was found": {func() *appsv1.Deployment {
			d := deployment("shop", "web")
			d.Spec.Template.Spec.Containers[0].Image = "app:latest"
			return d
		}(), []string{"frozen until", thawed, "Found besides:\n  - "}, []string{"Mend this"}},
	} {
		t.Run(name, func(t *testing.T) {
			resp := newBench(t, frozenRail(true)).Handle(t.Context(), request(t, admissionv1.Create, nil, tt.obj))
			if resp.Result.Code != http.StatusForbidden {
				t.Fatalf("%+v", resp.Result)
			}
			for _, s := range tt.says {
				if !strings.Contains(resp.Result.Message, s) {
					t.Errorf("no %q in %s", s, resp.Result.Message)
				}
			}
			for _, s := range tt.never {
				if strings.Contains(resp.Result.Message, s) {
					t.Errorf("%q in %s", s, resp.Result.Message)
				}
			}
		})
	}
}

// freeze opens a window in a namespace that is on for as long as anybody looks, and waits until the gate knows.
func (g *gatehouse) freeze(t *testing.T, ns, onFreeze string) {
	t.Helper()
	rule := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	patch := fmt.Sprintf(`{"spec":{"admission":{"onFreeze":%q},"freeze":[{"reason":"the year ends","schedule":"* * * * *","duration":"744h"}]}}`, onFreeze)
	if err := g.admin.Patch(t.Context(), rule, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the freeze is known", func() error {
		p, err := g.handler.Policy(t.Context(), ns)
		if err == nil && (len(p.Rails[0].Freezes) == 0 || p.Rails[0].DenyFrozen != (onFreeze == "Deny")) {
			err = errors.New("not yet")
		}
		return err
	})
}

// TestAFreezeWindowAtTheGate goes through it with kubectl, before a real API server with its controllers: nothing new comes in, and the
// brake, the restart and the way back do.
func TestAFreezeWindowAtTheGate(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	image := func(tag string, more ...string) (string, error) {
		return g.kubectl(t, nil, append([]string{"-n", ns, "set", "image", "deploy/web", "app=registry.example/" + ns + ":" + tag}, more...)...)
	}
	done := func(args ...string) {
		t.Helper()
		if out, err := g.kubectl(t, nil, append([]string{"-n", ns}, args...)...); err != nil || strings.Contains(out, "frozen") {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	if err := g.admin.Create(t.Context(), deployment(ns, "web")); err != nil {
		t.Fatal(err)
	}
	done("rollout", "status", "deploy/web")
	if out, err := image("2"); err != nil {
		t.Fatalf("before the freeze: %v %s", err, out)
	}
	done("rollout", "status", "deploy/web")

	g.freeze(t, ns, "Deny")
	out, err := image("3")
	if err == nil || !strings.Contains(out, "frozen until 20") || !strings.Contains(out, "the year ends") || !strings.Contains(out, "--field-manager="+BreakGlass) {
		t.Fatalf("a new version: %v %s", err, out)
	}
	if c := g.caseOf(t, ns, "web", Denied); !strings.Contains(c.Status.Summary, "frozen until") {
		t.Errorf("the Case says %q", c.Status.Summary)
	}
	if out, err := image("3", "--dry-run=server"); err != nil || !strings.Contains(out, "would be denied") || !strings.Contains(out, "frozen until") {
		t.Errorf("a dry run: %v %s", err, out)
	}
	done("patch", "deploy", "web", "--type=merge", "-p", `{"spec":{"replicas":3}}`)
	done("rollout", "restart", "deploy/web")
	done("rollout", "status", "deploy/web")
	done("rollout", "pause", "deploy/web")
	if out, err := image("4"); err != nil {
		t.Fatalf("what rolls out later: %v %s", err, out)
	}
	if out, err := g.kubectl(t, nil, "-n", ns, "rollout", "resume", "deploy/web"); err == nil || !strings.Contains(out, "frozen until") {
		t.Fatalf("what a pause held back: %v %s", err, out)
	}
	if out, err := image("2"); err != nil { // as it runs
		t.Fatalf("to take it back: %v %s", err, out)
	}
	done("rollout", "resume", "deploy/web")
	done("rollout", "status", "deploy/web")
	done("rollout", "undo", "deploy/web")
	done("rollout", "status", "deploy/web")
	if out, err := image("5", "--field-manager="+BreakGlass); err != nil || strings.Contains(out, "frozen") {
		t.Fatalf("with the glass broken: %v %s", err, out)
	}
	done("rollout", "status", "deploy/web")

	g.freeze(t, ns, "Warn")
	if out, err := image("6"); err != nil || !strings.Contains(out, "needs a human's eye") || !strings.Contains(out, "frozen until") {
		t.Errorf("under Warn: %v %s", err, out)
	}
}
