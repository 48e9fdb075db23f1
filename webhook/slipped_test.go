package webhook

import (
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
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
