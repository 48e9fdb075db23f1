package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const (
	rightsTime  = 20 * time.Second // for all questions together
	rightsTurns = 16               // questions at the same time
	rightsShown = 6                // of what one binding gives
)

// right is something that an identity could do, in one namespace or, where that is empty, in the whole cluster.
type right struct {
	verb      string
	resource  string // with its group and subresource: /pods/exec, apps/deployments
	namespace string
}

func (r right) String() string {
	group, resource, _ := strings.Cut(r.resource, "/")
	switch {
	case r.resource == "*/*":
		resource = "everything"
	case group != "":
		resource += " of " + group
	}
	if r.namespace != "" {
		return r.verb + " " + resource + " in " + r.namespace
	}
	return r.verb + " " + resource
}

// held is a right that an identity has, and by what, as the API server says.
type held struct {
	right
	by string
}

// excess asks the API server, once and for all at the same time, which of the forbidden rights the identity of a config has: in the
// whole cluster, and in Moorgate's own namespace. What a RoleBinding gives it in some other namespace is not asked; there, as
// everywhere, the fence of that identity refuses what its rights would let through. Rights to one object by its name are not
// meant. A question that could not be answered is an error: unknown is not absent.
func excess(ctx context.Context, config *rest.Config, forbidden []right) ([]held, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // bounded by turns instead
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("prepare to ask what this identity may do: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, rightsTime)
	defer cancel()
	answers, errs := make([]*held, len(forbidden)), make([]error, len(forbidden))
	turns := make(chan struct{}, rightsTurns)
	var asking sync.WaitGroup
	for i, r := range forbidden {
		turns <- struct{}{}
		asking.Go(func() {
			defer func() { <-turns }()
			answers[i], errs[i] = ask(ctx, kube.AuthorizationV1().SelfSubjectAccessReviews(), r)
		})
	}
	asking.Wait()
	var found []held
	for i, h := range answers {
		if errs[i] != nil {
			return nil, fmt.Errorf("ask what this identity may do: %w", errs[i])
		}
		if h != nil {
			found = append(found, *h)
		}
	}
	return found, nil
}

func ask(ctx context.Context, reviews authorizationv1client.SelfSubjectAccessReviewInterface, r right) (*held, error) {
	group, resource, _ := strings.Cut(r.resource, "/")
	resource, sub, _ := strings.Cut(resource, "/")
	answer, err := reviews.Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: r.verb, Group: group, Resource: resource, Subresource: sub, Namespace: r.namespace}}}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("may it %s: %w", r, err)
	}
	if !answer.Status.Allowed {
		return nil, nil
	}
	return &held{right: r, by: answer.Status.Reason}, nil
}

// tellExcess says what an identity may do that it should not, and which binding gives it that.
func tellExcess(found []held) string {
	var bindings []string
	given := map[string][]string{}
	for _, h := range found {
		if _, seen := given[h.by]; !seen {
			bindings = append(bindings, h.by)
		}
		given[h.by] = append(given[h.by], h.String())
	}
	for i, by := range bindings {
		rights := given[by]
		text := strings.Join(rights[:min(len(rights), rightsShown)], ", ")
		if more := len(rights) - rightsShown; more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
		if by == "" {
			by = "the API server does not say by which binding"
		}
		bindings[i] = text + " (" + gate.OneLine(by, 300) + ")"
	}
	return strings.Join(bindings, "; ")
}

// refuseExcess is an error where the identity of a part may do more than it should. With --allow-over-privileged it is said and no
// more: on a laptop Moorgate runs with the rights of its user, and what is left between them and a workload is the guard in its
// own transport, which lets nothing through but what a Permit covers.
func (p *process) refuseExcess(ctx context.Context, part part, config *rest.Config) error {
	found, err := excess(ctx, cluster.Guarded(config, part.own), part.forbidden)
	switch {
	case err == nil && len(found) == 0:
		return nil
	case err == nil:
		err = fmt.Errorf("its identity may do what it must never be able to do: %s", tellExcess(found))
	}
	if !p.allowExcess {
		return fmt.Errorf("%w. Take that right away, or, to try it out with your own kubeconfig, start with --allow-over-privileged", err)
	}
	p.logger.WarnContext(ctx, "started with more rights than it should have: nothing but its own care keeps it from using them", "part", part.name, "error", err)
	return nil
}
