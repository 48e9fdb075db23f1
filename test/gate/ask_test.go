package gate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/webhook"
)

// An API server keeps one connection to the webhooks, so one alone cannot ask two replicas at once. What follows asks as several do.

// review is what an API server asks about a Deployment that somebody creates, or changes where was is given.
func review(t *testing.T, was, is *appsv1.Deployment, dry bool) *admissionv1.AdmissionRequest {
	t.Helper()
	raw := func(d *appsv1.Deployment) runtime.RawExtension {
		d = d.DeepCopy()
		d.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.RawExtension{Raw: b}
	}
	r := &admissionv1.AdmissionRequest{UID: uuid.NewUUID(), Operation: admissionv1.Create, Namespace: is.Namespace, Name: is.Name, DryRun: &dry,
		Kind: metav1.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Resource: metav1.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"},
		UserInfo: authenticationv1.UserInfo{Username: "alice"}, Object: raw(is)}
	if was != nil {
		r.Operation, r.OldObject = admissionv1.Update, raw(was)
	}
	return r
}

// caller is a client with connections of its own, which trusts whom the API server trusts.
func (h *house) caller(t *testing.T) *http.Client {
	t.Helper()
	var registered admissionregistrationv1.ValidatingWebhookConfiguration
	roots := x509.NewCertPool()
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: webhook.RegistrationName}, &registered); err != nil {
		t.Fatal(err)
	}
	for _, w := range registered.Webhooks {
		roots.AppendCertsFromPEM(w.ClientConfig.CABundle)
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// ask asks the webhook at an address.
func (h *house) ask(t *testing.T, address string, r *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	t.Helper()
	return call(h.caller(t), address, r)
}

func call(c *http.Client, address string, r *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	body, err := json.Marshal(admissionv1.AdmissionReview{TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: r})
	if err != nil {
		return nil, err
	}
	resp, err := c.Post("https://"+address+webhook.Path, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer admissionv1.AdmissionReview
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", resp.Status, err)
	}
	if answer.Response == nil || answer.Response.UID != r.UID {
		return nil, errors.New("no answer to this question")
	}
	return answer.Response, nil
}

// refused is an answer as the client of an API server gets it; nil where it is let in.
func refused(resp *admissionv1.AdmissionResponse, err error) error {
	if err != nil || resp.Allowed {
		return err
	}
	return &apierrors.StatusError{ErrStatus: *resp.Result}
}

// suggested is for how long a client is asked to wait, if it is.
func suggested(err error) (seconds int, again bool) {
	if !apierrors.IsTooManyRequests(err) {
		return 0, false
	}
	return apierrors.SuggestsClientDelay(err)
}
