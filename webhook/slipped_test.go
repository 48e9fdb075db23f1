package webhook

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook/checks"
)

func TestWhenTheWebhookIsAwayRolloutsGoInAndAreJudgedAfterwards(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	if err := g.admin.Create(t.Context(), deployment(ns, "changed")); err != nil {
		t.Fatal(err)
	}
	g.caseOf(t, ns, "changed", Admitted)
	if err := g.down(); err != nil {
		t.Fatal(err)
	}
	err := g.admin.Create(t.Context(), poor(ns, "made"))
	for _, obj := range alike(deployment(ns, "made-too")) {
		err = errors.Join(err, g.admin.Create(t.Context(), obj))
	}
	err = errors.Join(err, g.admin.Patch(t.Context(), deployment(ns, "changed"),
		client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"app"}]`))))
	if err := errors.Join(err, g.up()); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		eventually(t, "a Case of the "+kind, func() error {
			cases, err := g.cases(t, ns)
			for _, c := range cases {
				if c.Spec.Subject.Kind == kind && c.Status.Answer == SlippedThrough {
					return nil
				}
			}
			return errors.Join(err, errors.New("there is none"))
		})
	}
	for _, name := range []string{"made", "changed"} {
		c := g.caseOf(t, ns, name, SlippedThrough)
		if strings.Contains(c.Spec.Signal.Text, "break-glass") {
			t.Errorf("nobody broke the glass for %s: %s", name, c.Spec.Signal.Text)
		}
		eventually(t, name+" is annotated", func() error {
			var d appsv1.Deployment
			if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &d); err != nil {
				return err
			}
			if d.Annotations[v1alpha1.AnnotationCase] != c.Name || d.Annotations[v1alpha1.AnnotationTemplate] != checks.Hash(d.Spec.Template) {
				return fmt.Errorf("annotations are %v", d.Annotations)
			}
			return nil
		})
	}
}

func TestWhoWroteTheTemplateLast(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	wrote := func(manager, fields, subresource string, seconds int) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, Time: &metav1.Time{Time: at.Add(time.Duration(seconds) * time.Second)},
			FieldsV1: metav1.NewFieldsV1(fields)}
	}
	const template, size = `{"f:spec":{"f:template":{"f:spec":{}}}}`, `{"f:spec":{"f:replicas":{}}}`
	tests := []struct {
		name    string
		entries []metav1.ManagedFieldsEntry
		want    bool
	}{
		{"somebody who broke the glass", []metav1.ManagedFieldsEntry{wrote("kubectl", template, "", 0), wrote(BreakGlass, template, "", 9)}, true},
		{"within the same second as somebody else", []metav1.ManagedFieldsEntry{wrote(BreakGlass, template, "", 0), wrote("kubectl", template, "", 0)}, true},
		{"somebody else since", []metav1.ManagedFieldsEntry{wrote(BreakGlass, template, "", 0), wrote("kubectl", template, "", 9)}, false},
		{"somebody else, while the glass was broken for the size", []metav1.ManagedFieldsEntry{wrote("kubectl", template, "", 0), wrote(BreakGlass, size, "", 9)}, false},
		{"somebody else, while the status was written", []metav1.ManagedFieldsEntry{wrote("kubectl", template, "", 0), wrote(BreakGlass, template, "status", 9)}, false},
		{"nobody that is known", nil, false},
		{"nobody that can be read", []metav1.ManagedFieldsEntry{wrote(BreakGlass, "{", "", 0)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := deployment("shop", "web")
			d.ManagedFields = tt.entries
			if got := glassBroken(d); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
