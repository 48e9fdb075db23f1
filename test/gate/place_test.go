package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/openai"
)

// place is a namespace under a Guardrail of its own that has a model waited for, which answers as given about what is there.
func (h *house) place(t *testing.T, admission string, answer func(openai.Request) openai.Reply) string {
	t.Helper()
	ns := h.c.Namespace(t, nil)
	h.answers(ns, answer)
	var g v1alpha1.Guardrail
	text := fmt.Sprintf(`{metadata: {name: %[1]s}, spec: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}, thresholds: {warnBelow: 80, denyBelow: 50, confidenceBelow: 0},
  admission: {mode: Enforce, onAdvice: Deny, %[2]s}}}`, ns, admission)
	if err := yaml.Unmarshal([]byte(text), &g); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.Create(t.Context(), &g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.admin.Delete(context.Background(), &g) })
	for _, name := range webhooks {
		h.eventually(t, "the "+name+" webhook answers under the Guardrail", func() error {
			resp, err := h.ask(t, h.part(name).Address(), review(t, nil, parsed(t, probe(ns)), true))
			if err == nil && !strings.Contains(strings.Join(resp.Warnings, " "), "would be denied") {
				err = fmt.Errorf("%q", resp.Warnings)
			}
			return err
		})
	}
	return ns
}

// cases are the Cases about a workload, the oldest first.
func (h *house) cases(t *testing.T, ns, name string) []v1alpha1.Case {
	t.Helper()
	var list v1alpha1.CaseList
	if err := h.admin.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	list.Items = slices.DeleteFunc(list.Items, func(c v1alpha1.Case) bool { return c.Spec.Subject.Name != name || c.Spec.Signal.Face != "webhook" })
	slices.SortFunc(list.Items, func(a, b v1alpha1.Case) int { return a.Spec.Signal.FirstSeen.Compare(b.Spec.Signal.FirstSeen.Time) })
	return list.Items
}

// ended waits until the one Case about a workload says what its client was answered in the end.
func (h *house) ended(t *testing.T, ns, name, said string) (c v1alpha1.Case) {
	t.Helper()
	h.eventually(t, "the one Case of "+name+" says "+said, func() error {
		all := h.cases(t, ns, name)
		if len(all) != 1 {
			return fmt.Errorf("there are %d: %v", len(all), keys(all))
		}
		if c = all[0]; c.Spec.Answer.Said != "Retried" || c.Status.Answer != said {
			return fmt.Errorf("it says %s, then %s", c.Spec.Answer.Said, c.Status.Answer)
		}
		return nil
	})
	return c
}

// waits returns once so many Cases about a workload are there.
func (h *house) waits(t *testing.T, ns, name string, count int) {
	t.Helper()
	h.eventually(t, "it waits", func() error {
		if all := h.cases(t, ns, name); len(all) != count {
			return fmt.Errorf("%d Cases", len(all))
		}
		return nil
	})
}

// asks returns once the model was asked about what is in a namespace.
func (h *house) asks(t *testing.T, ns string) {
	t.Helper()
	h.eventually(t, "the model is asked", func() error {
		if h.questions(ns) == 0 {
			return errors.New("it is not")
		}
		return nil
	})
}

func keys(cases []v1alpha1.Case) (all []string) {
	for _, c := range cases {
		all = append(all, c.Spec.Signal.Key+" "+c.Spec.Answer.Said+">"+c.Status.Answer)
	}
	return all
}

func (h *house) eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// kubectl runs kubectl with a manifest on its standard input.
func (h *house) kubectl(t *testing.T, manifest string, args ...string) (string, error) {
	t.Helper()
	cmd := h.c.Kubectl(t.Context(), args...)
	cmd.Stdin = strings.NewReader(manifest)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// applying has kubectl apply a manifest, and says in the end what it said.
func (h *house) applying(t *testing.T, manifest string) <-chan string {
	said := make(chan string, 1)
	go func() {
		out, _ := h.kubectl(t, manifest, "apply", "-f", "-")
		said <- out
	}()
	return said
}

// comes is a client that does not come again by itself: it tries until it is not told to wait any more, each time after as long as it was
// told. It returns the answer of the end.
func comes(t *testing.T, try func(i int) error) error {
	t.Helper()
	for i := range 12 {
		err := try(i)
		seconds, again := suggested(err)
		if !again {
			return err
		}
		time.Sleep(time.Duration(seconds) * time.Second)
	}
	return errors.New("it was told to wait more often than a client comes")
}

// deployment is a manifest that no check finds fault with.
func deployment(ns, name, image string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      containers:
        - name: app
          image: registry.example/%[3]s
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}}
          resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {memory: 32Mi}}
`, ns, name, image)
}

// probe is a manifest that the checks deny.
func probe(ns string) string {
	return strings.Replace(deployment(ns, "probe", "shop/probe:1.0.0"), "port: http}}", "port: nowhere}}", 1)
}

// parsed is a manifest as an object.
func parsed(t *testing.T, manifest string) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	if err := yaml.Unmarshal([]byte(manifest), d); err != nil {
		t.Fatal(err)
	}
	return d
}
