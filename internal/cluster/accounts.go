package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	accountPrefix = "system:serviceaccount:"
	ownPrefix     = accountPrefix + "moorgate-system:"
)

// unlisted says why a user whose name begins with system: may not approve in a namespace; empty: it is a ServiceAccount that
// every Guardrail lists that applies, one at least. The fence asks the same, of each Guardrail by itself; this is the second look.
func (g Guardrails) unlisted(ctx context.Context, namespace, user string) string {
	switch {
	case strings.HasPrefix(user, ownPrefix):
		return "no identity of Moorgate ever approves"
	case !strings.HasPrefix(user, accountPrefix):
		return user + " is no person"
	}
	all, of, unseen, err := g.read(ctx, namespace)
	switch {
	case err != nil:
		return "whether a Guardrail lists it cannot be said: " + err.Error()
	case unseen:
		return "whether a Guardrail lists it cannot be said: the labels of namespace " + namespace + " are not known"
	}
	return unlistedBy(all, of, user)
}

func unlistedBy(guardrails []unstructured.Unstructured, namespace labels.Set, account string) string {
	listed := false
	for i := range guardrails {
		u := &guardrails[i]
		p := parse(u)
		if p.selector != nil && !p.selector.Matches(namespace) {
			continue
		}
		if p.err != nil {
			return fmt.Sprintf("whether a Guardrail lists it cannot be said: %s: %s", u.GetName(), p.err)
		}
		if !slices.Contains(p.guardrail.Spec.Approval.ServiceAccounts, account) {
			return "the Guardrail " + u.GetName() + " does not list it in approval.serviceAccounts"
		}
		listed = true
	}
	if !listed {
		return "no Guardrail applies that lists it in approval.serviceAccounts"
	}
	return ""
}
