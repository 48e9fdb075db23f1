package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// place is one namespace under one Guardrail, both a test's own.
type place struct {
	*house
	t  *testing.T
	ns string
}

// place makes a namespace with a Guardrail and waits until the gate goes by it.
func (h *house) place(t *testing.T, spec v1alpha1.GuardrailSpec) *place {
	t.Helper()
	p := &place{house: h, t: t, ns: h.c.Namespace(t, nil)}
	spec.NamespaceSelector = v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{corev1.LabelMetadataName: v1alpha1.LabelValue(p.ns)}}
	rule := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: p.ns}, Spec: spec}
	if err := h.admin.Create(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.admin.Delete(context.Background(), rule) })
	p.rehearse("the gate's probe", neverReady("gate-probe"), func(out string) error { return holdsAll(out, "would be denied") })
	return p
}

// kubectl runs kubectl in the namespace with something on its standard input, and returns all that it says.
func (p *place) kubectl(stdin string, args ...string) (string, error) {
	var out bytes.Buffer
	err := p.kubectlTo(&out, stdin, args...)
	return out.String(), err
}

func (p *place) kubectlTo(out io.Writer, stdin string, args ...string) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	cmd := p.c.Kubectl(ctx, append([]string{"--cache-dir", p.cacheDir(), "-n", p.ns}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), out, out
	return cmd.Run()
}

func (p *place) apply(what, manifest string, flags ...string) {
	p.t.Helper()
	if out, err := p.kubectl(manifest, append([]string{"apply", "-f", "-"}, flags...)...); err != nil {
		p.t.Fatalf("apply %s: %v\n%s", what, err, out)
	}
}

func holdsAll(text string, parts ...string) error {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return fmt.Errorf("it does not say %q", part)
		}
	}
	return nil
}

// wait waits until so many pods are as the condition says.
func (p *place) wait(c condition) {
	p.t.Helper()
	p.eventually(p.t, fmt.Sprintf("%d pods of %v are %s", c.AtLeast, c.Pods, c.Are), func() error {
		var pods corev1.PodList
		if err := p.admin.List(p.t.Context(), &pods, client.InNamespace(p.ns), client.MatchingLabels(c.Pods)); err != nil {
			return err
		}
		n, seen := 0, []string{}
		for _, pod := range pods.Items {
			is := stateOf(pod)
			seen = append(seen, is)
			if is == c.Are {
				n++
			}
		}
		if n < c.AtLeast {
			return fmt.Errorf("they are %v", seen)
		}
		return nil
	})
}

// stateOf is why the pod's container waits, Ready, or the pod's phase.
func stateOf(pod corev1.Pod) string {
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Waiting != nil {
			return s.State.Waiting.Reason
		}
	}
	ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	if ready {
		return "Ready"
	}
	return string(pod.Status.Phase)
}

// cases are those of one face about one workload.
func (p *place) cases(face gate.Face, kind, name string) ([]v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := p.admin.List(p.t.Context(), &list, client.InNamespace(p.ns), client.MatchingLabels{v1alpha1.LabelFace: string(face),
		v1alpha1.LabelWorkload: cluster.WorkloadLabel(gate.Ref{Group: "apps", Kind: kind, Name: name})})
	return list.Items, err
}

// newCase waits for a Case of the gate that is not among those known, with its status written.
func (p *place) newCase(kind, name string, known []v1alpha1.Case) (found v1alpha1.Case, err error) {
	err = p.until(p.t.Context(), func() error {
		all, err := p.cases(gate.FaceWebhook, kind, name)
		if err != nil {
			return err
		}
		for _, c := range all {
			if slices.ContainsFunc(known, func(k v1alpha1.Case) bool { return k.Name == c.Name }) {
				continue
			}
			if found = c; c.Status.Answer != "" {
				return nil
			}
			return errors.New("its Case has no status yet")
		}
		return errors.New("it has no Case")
	})
	return found, err
}

// neverReady is a Deployment whose probe asks for a port that nobody has: refused under any Guardrail that enforces.
func neverReady(name string) string {
	return strings.Replace(sound(name), "port: http}", "port: health}", 1)
}

// sound is a Deployment that no check finds anything wrong with.
func sound(name string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: 2
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: app
          image: registry.example/shop/web:1.4.2
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}}
          resources: {requests: {cpu: 10m, memory: 16Mi}}
`, name)
}
