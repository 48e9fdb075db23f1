package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

func ask(t testing.TB, contentType, body string) *httptest.ResponseRecorder {
	e := &Endpoint{Logger: quiet(), Handler: admission.HandlerFunc(func(_ context.Context, req admission.Request) admission.Response {
		return admission.Denied(req.Name + " as " + string(req.Object.Raw))
	})}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestTheEndpointAnswersWhatItIsAsked(t *testing.T) {
	w := ask(t, "application/json", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"7","Name":"not this","name":"web","object":{"spec":{"a":[1,"}"]}}}}`)
	var said admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	want := metav1.TypeMeta{Kind: "AdmissionReview", APIVersion: "admission.k8s.io/v1"}
	if said.TypeMeta != want || said.Response == nil || said.Response.UID != "7" || said.Response.Allowed || said.Response.Result.Code != http.StatusForbidden ||
		said.Response.Result.Message != `web as {"spec":{"a":[1,"}"]}}` {
		t.Errorf("answered %s", w.Body)
	}
}

func TestWhatIsNoAdmissionReviewIsAFailedCall(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, body string
		code       int
	}{
		"no JSON by its word":   {"text/plain", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}`, http.StatusUnsupportedMediaType},
		"no JSON":               {"application/json", `{"kind":`, http.StatusBadRequest},
		"nothing":               {"application/json", "", http.StatusBadRequest},
		"another version":       {"application/json", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{}}`, http.StatusBadRequest},
		"another kind":          {"application/json", `{"kind":"Pod","apiVersion":"v1"}`, http.StatusBadRequest},
		"it asks for nothing":   {"application/json", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{}}`, http.StatusBadRequest},
		"it is far too large":   {"application/json", `{"kind":"` + strings.Repeat("x", reviewMax) + `"}`, http.StatusRequestEntityTooLarge},
		"something comes after": {"application/json", `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}{}`, http.StatusBadRequest},
	} {
		if w := ask(t, tt.kind, tt.body); w.Code != tt.code {
			t.Errorf("%s: %d, want %d: %.200s", name, w.Code, tt.code, w.Body)
		}
	}
}
