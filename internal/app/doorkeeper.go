package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	doorTokens = 16 << 10 // bytes of the longest token that anybody has
	doorTurns  = 8        // callers asked about at the same time
	doorBudget = 10 * time.Second
)

// doorkeeper lets in whom the API server vouches for: a TokenReview says who calls, a SubjectAccessReview whether they have the
// right that the request takes, which for most is this path with this method. It remembers nobody, so that a right that is taken away is gone at once. What it cannot find out
// is no.
type doorkeeper struct {
	api    kubernetes.Interface
	logger *slog.Logger
	turns  chan struct{}
}

func newDoorkeeper(api kubernetes.Interface, logger *slog.Logger) *doorkeeper {
	return &doorkeeper{api: api, logger: logger, turns: make(chan struct{}, doorTurns)}
}

// takes is the right that a request takes, without who asks, and what to say to those who lack it. Not ok: what it is about
// does not exist.
type takes func(r *http.Request) (right authorizationv1.SubjectAccessReviewSpec, lacking string, ok bool)

// thePath is the right to this path with this method.
func thePath(r *http.Request) (authorizationv1.SubjectAccessReviewSpec, string, bool) {
	verb := strings.ToLower(r.Method)
	return authorizationv1.SubjectAccessReviewSpec{NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: r.URL.Path, Verb: verb}},
		fmt.Sprintf("may not %s %s: a ClusterRole with this verb on the nonResourceURL grants it (moorgate-audit-reader, to read)", verb, r.URL.Path), true
}

// guard is next behind the door.
func (d *doorkeeper) guard(right takes, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || token == "" || len(token) > doorTokens {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "give a bearer token that the API server knows", http.StatusUnauthorized)
			return
		}
		asks, lacking, ok := right(r)
		if !ok {
			refuse(w, http.StatusNotFound, "there is nothing here: "+readinessPath+"NAMESPACE/KIND/NAME names a workload of a kind that is scored, as deployment/web")
			return
		}
		select {
		case d.turns <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many callers at once", http.StatusTooManyRequests)
			return
		}
		who, status, text := d.ask(r.Context(), token, asks, lacking)
		<-d.turns
		if status != http.StatusOK {
			http.Error(w, text, status)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), caller{}, who)))
	})
}

// caller is the key under which a request that came through the door holds the user name of who calls.
type caller struct{}

// ask is who bears a token, and http.StatusOK where they have a right.
func (d *doorkeeper) ask(ctx context.Context, token string, right authorizationv1.SubjectAccessReviewSpec, lacking string) (name string, status int, text string) {
	ctx, cancel := context.WithTimeout(ctx, doorBudget)
	defer cancel()
	who, err := d.api.AuthenticationV1().TokenReviews().Create(ctx,
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		d.logger.WarnContext(ctx, "nobody could say whose token it is", "error", err)
		return "", http.StatusServiceUnavailable, "the API server could not be asked who you are"
	}
	if !who.Status.Authenticated || who.Status.User.Username == "" {
		return "", http.StatusUnauthorized, "the API server does not know this token"
	}
	user := who.Status.User
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for k, v := range user.Extra {
		extra[k] = authorizationv1.ExtraValue(v)
	}
	right.User, right.UID, right.Groups, right.Extra = user.Username, user.UID, user.Groups, extra
	may, err := d.api.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: right}, metav1.CreateOptions{})
	if err != nil {
		d.logger.WarnContext(ctx, "nobody could say whether somebody may", "user", user.Username, "error", err)
		return "", http.StatusServiceUnavailable, "the API server could not be asked what you may do"
	}
	if !may.Status.Allowed || may.Status.Denied {
		return "", http.StatusForbidden, user.Username + " " + lacking
	}
	return user.Username, http.StatusOK, ""
}
