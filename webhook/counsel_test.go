package webhook

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// TestAModelIsAskedOnceAboutARolloutThatIsIn shows that a model's view comes onto the Case after admission, once, with the change and
// without values that may be secret, and keeps nobody out.
func TestAModelIsAskedOnceAboutARolloutThatIsIn(t *testing.T) {
	g := watchedGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mgr, err := g.manager(ctx, t, "moorgate-judge")
	if err != nil {
		t.Fatal(err)
	}
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	var asked atomic.Value
	nodes := NewNodes()
	prober := &SecretProber{Ask: ProbeSecret(mgr.GetClient()), Now: time.Now}
	ns := g.place(t, guardrail("Enforce"))
	sight, err := g.sight(ctx, mgr, prober, nodes)
	if err != nil {
		t.Fatal(err)
	}
	s := &Settler{Keeper: Keeper{Sight: sight, Log: g.log, Client: mgr.GetClient(), Events: mgr.GetEventRecorder("moorgate"), Logger: slog.New(slog.DiscardHandler),
		Aside: flow.NewAside(ctx, 2, 64), Door: door, Beside: func(checks flow.Advisor) flow.Advisor {
			return flow.AdvisorFunc(func(ctx context.Context, q flow.Question) gate.Assessment {
				a := checks.Advise(ctx, q)
				if a.Open == "" || q.Facts.Subject.Namespace != ns {
					return a
				}
				calls.Add(1)
				a.Alone = ""
				text := ""
				for _, e := range q.Evidence {
					text += e.ID + ": " + e.Text + "\n"
				}
				asked.Store(text)
				a.Score = gate.Known(10)
				a.Findings = append(a.Findings, gate.Finding{ID: "model-1", Text: "the model: another major version", Points: 90, Nature: gate.Advised})
				return a
			})
		}}}
	if err := s.SetUp(mgr); err != nil {
		t.Fatal(err)
	}
	go func() { _ = mgr.Start(ctx) }()
	if err := warm(ctx, mgr.GetCache(), nodes); err != nil {
		t.Fatal(err)
	}
	d := deployment(ns, "web")
	d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "GREETING", Value: "swordfish"}}
	if out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, d)}, "apply", "-f", "d.yaml"); err != nil {
		t.Fatal(out)
	}
	first := g.advised(t, ns, 1)
	if first.Status.Decision != "Hold" || first.Spec.Answer.Said == Denied || first.Status.Alone != "" {
		t.Errorf("answered %s; the Case says %s, alone %q", first.Spec.Answer.Said, first.Status.Decision, first.Status.Alone)
	}
	d.Spec.Template.Spec.Containers[0].Image = "registry.example/web:2"
	if out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, d)}, "apply", "-f", "d.yaml"); err != nil {
		t.Fatal(out)
	}
	g.advised(t, ns, 2)
	text, _ := asked.Load().(string)
	if !strings.Contains(text, "+ spec.containers[name=") || !strings.Contains(text, "registry.example/web:2") || !strings.Contains(text, "GREETING") || strings.Contains(text, "swordfish") {
		t.Errorf("the model was shown\n%s", text)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("the model was asked %d times about two rollouts", n)
	}
}

// advised waits until so many Cases of a namespace carry a model's view, and returns the first.
func (g *gatehouse) advised(t *testing.T, ns string, n int) (first v1alpha1.Case) {
	t.Helper()
	eventually(t, "a model's view", func() error {
		cases, err := g.cases(t, ns)
		found := 0
		for _, c := range cases {
			if meta.IsStatusConditionTrue(c.Status.Conditions, CaseAdvised) {
				first = c
				found++
			}
		}
		if err == nil && found < n {
			err = fmt.Errorf("on %d of %d Cases", found, len(cases))
		}
		return err
	})
	return first
}

// A rollout that a client waits for does not stand behind those that nobody waits for, and who finds no room comes again.
func TestWhoIsWaitedForIsAskedAboutFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	busy := func(room int) *flow.Aside {
		a := flow.NewAside(ctx, 1, room)
		a.Do("other", func(ctx context.Context) { <-ctx.Done() })
		return a
	}
	s := &Settler{Keeper: Keeper{Sight: Sight{Policy: func(context.Context, string) (gate.Policy, error) { return waitsForAModel(gate.PendingRetry), nil }},
		Beside: func(checks flow.Advisor) flow.Advisor { return checks }, Aside: busy(0), Ahead: busy(1), Client: empty{}, Logger: quiet()}}
	kase := func(said string) *v1alpha1.Case {
		c := &v1alpha1.Case{Spec: v1alpha1.CaseSpec{Answer: &v1alpha1.Answer{Said: said}}}
		c.Namespace, c.Name = "shop", strings.ToLower(said)
		return c
	}
	if again := s.confer(ctx, kase(Admitted)); again == 0 {
		t.Error("there was room for one that nobody waits for")
	}
	if again := s.confer(ctx, kase(Retried)); again != 0 {
		t.Error("there was no room for one that a client waits for")
	}
	if again := s.confer(ctx, kase(AskedAhead)); again == 0 {
		t.Error("nobody is told that there was no room")
	}
}

// empty is an API server that holds nothing.
type empty struct{ client.Client }

func (empty) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}
