package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestDisarmedItStaysEmptyUntilItIsArmed(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	identity, err := g.c.ServiceAccount(t.Context(), home, "moorgate-webhook")
	if err != nil {
		t.Fatal(err)
	}
	own, err := client.New(identity, client.Options{Scheme: testScheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	var was admissionregistrationv1.ValidatingWebhookConfiguration
	if err := own.Get(t.Context(), client.ObjectKey{Name: RegistrationName}, &was); err != nil {
		t.Fatal(err)
	}
	refill := func(ctx context.Context) error {
		config := &admissionregistrationv1.ValidatingWebhookConfiguration{TypeMeta: Registration(RegistrationOptions{}).TypeMeta, Webhooks: was.Webhooks}
		config.Name, config.Labels = was.Name, was.Labels
		return Register(ctx, own, config)
	}
	t.Cleanup(func() { // the other tests need the gate
		if err := errors.Join(Arm(context.Background(), g.admin, ""), refill(context.Background())); err != nil {
			t.Error(err)
		}
	})
	if err := Disarm(t.Context(), g.admin, "", "ana: incident\n4711"); err != nil {
		t.Fatal(err)
	}
	s, err := StandingOf(t.Context(), own, "")
	if err != nil || s.Asked || s.Disarmed != "ana: incident 4711" {
		t.Fatalf("%+v %v", s, err)
	}
	eventually(t, "nobody is asked", func() error { return g.admin.Create(t.Context(), poor(ns, "let-in")) })
	t.Run("the webhook cannot fill it, nor take the annotation away, nor write one", func(t *testing.T) {
		refused := func(what string, err error) {
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "moorgate arm") {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("fill", refill(t.Context()))
		refused("arm", Arm(t.Context(), own, ""))
		refused("say otherwise", Disarm(t.Context(), own, "", "nobody"))
	})
	if err := Deregister(t.Context(), own); err != nil {
		t.Errorf("what is empty may be emptied: %v", err)
	}
	for range 2 {
		if err := Arm(t.Context(), g.admin, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := Disarm(t.Context(), own, "", "the webhook itself"); !apierrors.IsForbidden(err) {
		t.Errorf("the webhook disarms itself: %v", err)
	}
	if err := refill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := StandingOf(t.Context(), own, ""); err != nil || !s.Asked || s.Disarmed != "" {
		t.Errorf("%+v %v", s, err)
	}
	try := 0
	eventually(t, "the gate is asked again", func() error {
		try++
		if err := g.admin.Create(t.Context(), poor(ns, fmt.Sprint("again-", try))); err == nil {
			return errors.New("a poor rollout is let in")
		}
		return nil
	})
}

func TestAnAnnotationWithoutAReasonDisarmsToo(t *testing.T) {
	g := watchedGate(t)
	config := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	config.Name = "test-disarmed"
	config.Annotations = map[string]string{AnnotationDisarmed: ""}
	if err := g.admin.Create(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.admin.Delete(t.Context(), config) }()
	if s, err := StandingOf(t.Context(), g.admin, config.Name); err != nil || s.Disarmed == "" || s.Asked {
		t.Errorf("%+v %v", s, err)
	}
	if err := g.admin.Patch(t.Context(), config, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":null}}`))); err != nil {
		t.Fatal(err)
	}
	if s, err := StandingOf(t.Context(), g.admin, config.Name); err != nil || s.Disarmed != "" {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := StandingOf(t.Context(), g.admin, "not-there"); err != nil || s != (Standing{}) {
		t.Errorf("%+v %v", s, err)
	}
}
