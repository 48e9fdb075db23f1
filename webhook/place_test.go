package webhook

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
)

// place makes a namespace that the gate watches, under a Guardrail of its own, and waits until both faces know it.
func (g *gatehouse) place(t *testing.T, spec v1alpha1.GuardrailSpec) string {
	t.Helper()
	ns := g.c.Namespace(t, map[string]string{guarded: "yes"})
	spec.NamespaceSelector = v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(ns)}}
	rule := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: ns}, Spec: spec}
	if err := g.admin.Create(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.admin.Delete(context.Background(), rule) })
	eventually(t, "the Guardrail is known", func() error {
		p, err := g.handler.Policy(t.Context(), ns)
		if err == nil && p.Rails[0].Name != ns {
			err = errors.New("not yet")
		}
		return err
	})
	return ns
}

// guardrail is a Guardrail with an admission mode and the usual thresholds.
func guardrail(mode string) v1alpha1.GuardrailSpec {
	return v1alpha1.GuardrailSpec{Admission: v1alpha1.Admission{Mode: mode},
		Thresholds: v1alpha1.Thresholds{WarnBelow: new(int32(80)), DenyBelow: new(int32(50)), ConfidenceBelow: new(int32(10))}}
}

// kubectl runs kubectl as an admin, with files given by name and content in its folder, and returns all that it said.
func (g *gatehouse) kubectl(t *testing.T, files map[string]string, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := g.c.Kubectl(ctx, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// manifest is an object as a file.
func manifest(t *testing.T, obj any) string {
	t.Helper()
	b, err := yaml.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually polls until what is promised holds.
func eventually(t *testing.T, what string, holds func() error) {
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
		time.Sleep(100 * time.Millisecond)
	}
}

// caseOf waits for the Case of a workload with that answer, empty for any, with its status written.
func (g *gatehouse) caseOf(t *testing.T, ns, workload, said string) v1alpha1.Case {
	t.Helper()
	var found v1alpha1.Case
	eventually(t, "a Case of "+workload+" that says "+said, func() error {
		cases, err := g.cases(t, ns)
		if err != nil {
			return err
		}
		var seen []string
		for _, c := range cases {
			seen = append(seen, c.Spec.Subject.Name+"="+c.Spec.Answer.Said+"/"+c.Status.Answer)
			if c.Spec.Subject.Name == workload && (said == "" || c.Spec.Answer.Said == said) && c.Status.Answer == c.Spec.Answer.Said {
				found = c
				return nil
			}
		}
		return errors.New("only " + strings.Join(seen, ", "))
	})
	return found
}

func (g *gatehouse) cases(t *testing.T, ns string) ([]v1alpha1.Case, error) {
	t.Helper()
	var list v1alpha1.CaseList
	err := g.admin.List(t.Context(), &list, client.InNamespace(ns))
	return list.Items, err
}

func unstructuredOf(t *testing.T, obj client.Object) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	b, err := yaml.Marshal(obj)
	if err == nil {
		err = yaml.Unmarshal(b, &u.Object)
	}
	if err != nil {
		t.Fatal(err)
	}
	unstructured.RemoveNestedField(u.Object, "status")
	return u
}
