package app

import (
	"context"
	"errors"
	"io"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/webhook"
)

// aheadBytes is of the largest workload that is asked about ahead: etcd holds no larger one.
const aheadBytes = 2 << 20

// mayPatch is the right that asking ahead takes: that to apply the workload, in its namespace.
func (s *readinessServer) mayPatch(r *http.Request) (authorizationv1.SubjectAccessReviewSpec, string, bool) {
	kind, key, ok := s.asked(r)
	resource := schema.GroupResource{Group: kind.Group, Resource: s.kinds.Resource(kind)}
	return authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Group: kind.Group, Version: kind.Version, Resource: resource.Resource,
		Namespace: key.Namespace, Name: key.Name, Verb: "patch"}}, "may not patch " + resource.String() + " in namespace " + key.Namespace, ok
}

// askAhead has a model asked about the workload in the body, as it would be stored, and answers with how that goes: 200 once it is
// heard or there is nothing to hear, 202 while it is being asked. The same request, sent again, tells more.
func (s *readinessServer) askAhead(w http.ResponseWriter, r *http.Request) {
	kind, key, _ := s.asked(r)
	user, _ := r.Context().Value(caller{}).(string)
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, aheadBytes))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		refuse(w, http.StatusRequestEntityTooLarge, "the API server would not keep an object as large as this")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the object could not be read to its end")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readinessTime)
	defer cancel()
	said, err := s.ahead(ctx, kind, key, raw, user)
	switch {
	case errors.Is(err, webhook.ErrUnfit):
		refuse(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, webhook.ErrTooMany):
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusTooManyRequests, webhook.ErrTooMany.Error())
	case err != nil:
		s.logger.WarnContext(ctx, "no model could be asked ahead", "kind", kind.Kind, "subject", key.String(), "error", err)
		refuse(w, http.StatusServiceUnavailable, "it could not be looked at; try again")
	case said.State == webhook.AheadAsked:
		writeJSON(w, http.StatusAccepted, said)
	default:
		writeJSON(w, http.StatusOK, said)
	}
}
