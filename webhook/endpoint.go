package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// reviewMax is how many bytes an AdmissionReview may have: two objects of 3 MiB, and a MiB for the rest.
const reviewMax = 7 << 20

// Endpoint is where the API server asks, in AdmissionReviews of version v1, which is the only one that is registered. What it is sent
// is read once: of a large object that is most of what an answer costs, and the library's own endpoint reads it once more to learn
// its kind.
type Endpoint struct {
	Handler admission.Handler
	Logger  *slog.Logger
}

// ServeHTTP answers one AdmissionReview. What is none is answered with a failure of the call, for which the registration says what
// becomes of the request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	review, status, err := reviewIn(w, r)
	if err != nil {
		e.Logger.WarnContext(r.Context(), "a call of the webhook was no AdmissionReview", "error", err)
		http.Error(w, "this is no AdmissionReview that can be read; see Moorgate's log", status)
		return
	}
	req := admission.Request{AdmissionRequest: *review.Request}
	resp := e.Handler.Handle(r.Context(), req)
	if err := resp.Complete(req); err != nil {
		e.Logger.ErrorContext(r.Context(), "an answer could not be completed", "error", err)
		resp = unscored(err.Error())
		resp.UID = req.UID
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: &resp.AdmissionResponse}); err != nil {
		e.Logger.WarnContext(r.Context(), "an answer could not be sent", "error", err)
	}
}

// reviewIn reads the AdmissionReview in a call. The status is for the error.
func reviewIn(w http.ResponseWriter, r *http.Request) (admissionv1.AdmissionReview, int, error) {
	var review admissionv1.AdmissionReview
	if t := r.Header.Get("Content-Type"); t != "application/json" {
		return review, http.StatusUnsupportedMediaType, fmt.Errorf("its content type is %.100q, and not application/json", t)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reviewMax))
	if err != nil {
		return review, http.StatusRequestEntityTooLarge, err
	}
	if err := kjson.Unmarshal(body, &review); err != nil {
		return review, http.StatusBadRequest, err
	}
	want := metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "AdmissionReview"}
	if review.TypeMeta != want || review.Request == nil {
		return review, http.StatusBadRequest, fmt.Errorf("it is a %.100q of %.100q, or asks nothing; want a request in an %s of %s", review.Kind, review.APIVersion, want.Kind, want.APIVersion)
	}
	return review, 0, nil
}
