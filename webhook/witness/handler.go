package witness

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// Handler hears what people do. It lets everything in. All fields are needed but Delivery.
type Handler struct {
	Book *Book
	// Delivery are the names of users who bring Git to the cluster: what they do is no news.
	Delivery []string
	Now      func() time.Time
	Logger   *slog.Logger
}

var _ admission.Handler = (*Handler)(nil)

// Handle notes one request and lets it in. It looks at nothing but the envelope: what is inside is read once it was stored.
func (h *Handler) Handle(ctx context.Context, req admission.Request) (resp admission.Response) {
	resp = admission.Allowed("")
	defer func() {
		if p := recover(); p != nil {
			h.Logger.ErrorContext(ctx, "a change could not be witnessed", "panic", p, "namespace", req.Namespace, "kind", req.Kind.Kind)
		}
	}()
	if k := kindOf(req.Resource.Group, req.Resource.Resource); k != nil && h.counts(&req) {
		h.Book.take(&write{kind: k, operation: req.Operation, subresource: req.SubResource, user: req.UserInfo.Username, namespace: req.Namespace, name: req.Name,
			at: h.Now(), before: req.OldObject.Raw, after: req.Object.Raw, options: req.Options.Raw})
	}
	return resp
}

// counts reports whether a request is a real one, by a person. The registration keeps others away; one that comes all the same was
// registered by somebody else, or by an older version.
func (h *Handler) counts(req *admission.Request) bool {
	user := req.UserInfo.Username
	switch {
	case req.DryRun != nil && *req.DryRun, req.SubResource != "" && req.SubResource != subresourceScale:
		return false
	case strings.HasPrefix(user, components) && user != clusterAdmin, slices.Contains(h.Delivery, user):
		return false
	}
	return req.Operation == admissionv1.Create || req.Operation == admissionv1.Update || req.Operation == admissionv1.Delete
}
