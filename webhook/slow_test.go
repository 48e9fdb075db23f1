package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Ours is asked beside two others that never answer in time. All of them fail open and short, so the rollout goes in, judged.
func TestL13SlowWebhooksBesideOursBlockNothing(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	over := make(chan struct{})
	slow := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	slow.TLS = &tls.Config{Certificates: []tls.Certificate{g.tls}, MinVersion: tls.VersionTLS13}
	slow.StartTLS()
	t.Cleanup(func() { close(over); slow.Close() })
	for i := range 2 {
		config := Registration(RegistrationOptions{Name: fmt.Sprintf("%s-slow-%d", ns, i), URL: slow.URL + "/", CABundle: g.ca,
			Namespaces: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": ns}}})
		config.Webhooks[0].Name = fmt.Sprintf("slow-%d.moorgate.dev", i)
		config.Webhooks[0].SideEffects = new(admissionregistrationv1.SideEffectClassNone)
		if err := g.admin.Create(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.admin.Delete(context.Background(), config) })
	}
	time.Sleep(time.Second) // the API server needs a moment to know of them; without it the test is only weaker
	if err := g.admin.Create(t.Context(), deployment(ns, "web")); err != nil {
		t.Fatal(err)
	}
	g.caseOf(t, ns, "web", Admitted)
	if timeout := *Registration(RegistrationOptions{}).Webhooks[0].TimeoutSeconds; timeout > 3 {
		t.Errorf("ours may take %d s", timeout)
	}
}
