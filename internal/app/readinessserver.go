package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook"
)

const (
	readinessPath = "/v1/readiness/" // GET: what the newest Case says of NAMESPACE/KIND/NAME
	readinessTime = 5 * time.Second
)

// readinessServer tells how ready a workload is to those who may get the Cases of its namespace: it says nothing that they
// do not say. It is asked by delivery tools between two steps of a rollout.
type readinessServer struct {
	of     func(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) (*webhook.Readiness, error)
	kinds  webhook.Kinds
	logger *slog.Logger
	// ahead has a model asked about a rollout that is not in yet. Nil: nobody has.
	ahead func(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey, raw []byte, user string) (webhook.Asked, error)
}

// asked is the workload that a path names. What could be no name is none: an empty namespace would mean all of them.
func (s *readinessServer) asked(r *http.Request) (kind schema.GroupVersionKind, key client.ObjectKey, ok bool) {
	kind, ok = s.kinds.Called(r.PathValue("kind"))
	key = client.ObjectKey{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
	ok = ok && len(validation.IsDNS1123Label(key.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(key.Name)) == 0
	return kind, key, ok
}

// mayGetCases is the right that a path about a workload takes.
func (s *readinessServer) mayGetCases(r *http.Request) (authorizationv1.SubjectAccessReviewSpec, string, bool) {
	_, key, ok := s.asked(r)
	return authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Group: v1alpha1.GroupVersion.Group,
		Version: v1alpha1.GroupVersion.Version, Resource: "cases", Namespace: key.Namespace, Verb: "get"}}, "may not get cases." + v1alpha1.GroupVersion.Group + " in namespace " + key.Namespace, ok
}

// routes adds the paths, each behind the door.
func (s *readinessServer) routes(mux *http.ServeMux, door *doorkeeper) {
	mux.Handle("GET "+readinessPath+"{namespace}/{kind}/{name}", door.guard(s.mayGetCases, http.HandlerFunc(s.tell)))
	if s.ahead != nil {
		mux.Handle("POST "+readinessPath+"{namespace}/{kind}/{name}", door.guard(s.mayPatch, http.HandlerFunc(s.askAhead)))
	}
	mux.Handle(readinessPath, door.guard(s.mayGetCases, http.HandlerFunc(s.tell))) // names no workload: not found
}

func (s *readinessServer) tell(w http.ResponseWriter, r *http.Request) {
	kind, key, _ := s.asked(r)
	ctx, cancel := context.WithTimeout(r.Context(), readinessTime)
	defer cancel()
	found, err := s.of(ctx, kind, key)
	switch {
	case err != nil:
		s.logger.WarnContext(ctx, "nobody could say how ready a workload is", "kind", kind.Kind, "subject", key.String(), "error", err)
		refuse(w, http.StatusServiceUnavailable, "it could not be looked up; try again")
	case found == nil:
		refuse(w, http.StatusNotFound, "no Case speaks for "+kind.Kind+" "+key.String()+" as it stands: it is not there, its namespace is not watched, or it was not judged yet")
	default:
		writeJSON(w, http.StatusOK, found)
	}
}

func refuse(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(content) // whoever went away needs no answer
}
