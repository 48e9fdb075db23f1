package webhook

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestRegistration(t *testing.T) {
	narrower := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	config := Registration(RegistrationOptions{URL: "https://127.0.0.1:1" + Path, Own: []string{"system:serviceaccount:m:it's"}, Namespaces: narrower})
	w := config.Webhooks[0]
	if *w.FailurePolicy != admissionregistrationv1.Ignore || *w.TimeoutSeconds > 3 || *w.SideEffects != admissionregistrationv1.SideEffectClassNoneOnDryRun ||
		*w.MatchPolicy != admissionregistrationv1.Equivalent {
		t.Errorf("%+v", w)
	}
	if len(narrower.MatchExpressions) != 0 {
		t.Error("the caller's selector was changed")
	}
	selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"shop": true, "kube-system": false, "moorgate-system": false, "kube-public": false, "kube-node-lease": false} {
		if got := selector.Matches(labels.Set{"kubernetes.io/metadata.name": name, "team": "a"}); got != want {
			t.Errorf("%s is judged: %v", name, got)
		}
	}
	if selector.Matches(labels.Set{"kubernetes.io/metadata.name": "shop"}) {
		t.Error("the narrower selector does not count")
	}
	for _, c := range w.MatchConditions {
		if strings.Contains(c.Expression, "it's") {
			t.Errorf("an unescaped quote in %s", c.Expression)
		}
	}
}

func TestDeregisteredNobodyIsAsked(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	if err := g.admin.Create(t.Context(), poor(ns, "refused")); err == nil {
		t.Fatal("a poor rollout is not refused to begin with")
	}
	identity, err := g.c.ServiceAccount(t.Context(), home, "moorgate-webhook")
	if err != nil {
		t.Fatal(err)
	}
	own, err := client.New(identity, client.Options{Scheme: testScheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	read := func() *admissionregistrationv1.ValidatingWebhookConfiguration {
		var config admissionregistrationv1.ValidatingWebhookConfiguration
		if err := own.Get(t.Context(), client.ObjectKey{Name: RegistrationName}, &config); err != nil {
			t.Fatal(err)
		}
		return &config
	}
	was := read()
	registered := func() error {
		config := &admissionregistrationv1.ValidatingWebhookConfiguration{TypeMeta: Registration(RegistrationOptions{}).TypeMeta, Webhooks: was.Webhooks}
		config.Name, config.Labels = was.Name, was.Labels
		return Register(t.Context(), own, config)
	}
	again := func() { // for this test and for those that follow
		if err := registered(); err != nil {
			t.Fatal(err)
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
	defer again()
	for range 2 { // twice is as good as once
		if err := Deregister(t.Context(), own); err != nil {
			t.Fatal(err)
		}
	}
	if now := read(); len(now.Webhooks) != 0 || now.UID != was.UID || now.Labels["app.kubernetes.io/part-of"] != "moorgate" {
		t.Errorf("the registration is %+v", now)
	}
	eventually(t, "the API server asks nobody", func() error { return g.admin.Create(t.Context(), poor(ns, "let-in")) })
}
