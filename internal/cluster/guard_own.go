package cluster

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

// Own are the writes by which an identity keeps its own books: Cases, status, Events, its Lease. They change no workload and
// need no Permit. Whatever is on no list needs one. The same lists stand in RBAC and in the fences.
type Own []Write

// Write is one kind of write. The zero Write covers nothing.
type Write struct {
	Methods   []string
	Resource  string // with group and subresource: moorgate.dev/cases/status, /events
	Namespace string // empty: any
	Name      string // empty: any
	DryRun    bool   // as a dry run only, which changes nothing
	Owner     string // the field manager that it is in the name of; empty: any
}

var (
	creates = []string{http.MethodPost}
	updates = []string{http.MethodPut, http.MethodPatch}
)

// OwnOfWebhook are the writes of moorgate webhook.
func OwnOfWebhook() Own {
	return append(asking(),
		Write{Methods: creates, Resource: "moorgate.dev/cases"},
		Write{Methods: updates, Resource: "moorgate.dev/cases/status"},
		Write{Methods: updates, Resource: "/secrets", Namespace: OwnNamespace, Name: "moorgate-webhook-certificate"},
		Write{Methods: updates, Resource: "admissionregistration.k8s.io/validatingwebhookconfigurations", Name: "moorgate"},
		Write{Methods: creates, Resource: "/secrets", DryRun: true})
}

// OwnOfJudge are the writes of moorgate judge. It tries in dry runs what Git says.
func OwnOfJudge() Own {
	return slices.Concat(asking(), reviewing(), telling(), leading("moorgate-judge"), leading("moorgate-advice"), trying(), Own{
		{Methods: creates, Resource: "moorgate.dev/cases"},
		{Methods: []string{http.MethodDelete}, Resource: "moorgate.dev/cases"}, // old ones expire
		{Methods: updates, Resource: "moorgate.dev/cases/status"},
		{Methods: updates, Resource: "moorgate.dev/gitsources/status"},
		{Methods: updates, Resource: "moorgate.dev/guardrails/status"},
		{Methods: updates, Resource: "/configmaps", Namespace: OwnNamespace, Name: AnchorsName},
		{Methods: creates, Resource: "/secrets", DryRun: true},
	})
}

// trying are the dry runs in which what Git says is tried: of every kind that is compared with Git.
func trying() Own {
	var all Own
	for _, resource := range []string{"apps/deployments", "apps/statefulsets", "apps/daemonsets", "batch/cronjobs", "/services", "/configmaps",
		"networking.k8s.io/ingresses", "networking.k8s.io/networkpolicies", "autoscaling/horizontalpodautoscalers", "policy/poddisruptionbudgets"} {
		all = append(all, Write{Methods: updates, Resource: resource, DryRun: true})
	}
	return all
}

// tryingHolds are the dry runs in which a hold is tried before it is asked for.
func tryingHolds() Own {
	var all Own
	for kind, resource := range holdable {
		group, _, grouped := strings.Cut(kind, "/v")
		if !grouped {
			group = ""
		}
		all = append(all, Write{Methods: []string{http.MethodPatch}, Resource: group + "/" + resource, DryRun: true, Owner: HoldOwner})
	}
	return all
}

// OwnOfAct are the writes of moorgate act. What it is there for is not among them: each of those needs a Permit.
func OwnOfAct() Own {
	return slices.Concat(asking(), reviewing(), telling(), leading("moorgate-act"), tryingHolds(), Own{
		{Methods: updates, Resource: "moorgate.dev/cases/status"},
		{Methods: updates, Resource: "moorgate.dev/approvals/status"},
		{Methods: updates, Resource: "/configmaps", Namespace: OwnNamespace, Name: "moorgate-ledger"},
		{Methods: updates, Resource: "/configmaps", Namespace: OwnNamespace, Name: AnchorsName},
	})
}

// OwnOfReview are the writes of moorgate review, which runs with a person's rights: it tries files in dry runs.
func OwnOfReview() Own {
	return Own{{Methods: updates, Resource: "apps/deployments", DryRun: true}, {Methods: updates, Resource: "apps/statefulsets", DryRun: true},
		{Methods: updates, Resource: "apps/daemonsets", DryRun: true}}
}

// OwnOfDiff are the writes of moorgate diff, which runs with a person's rights: the dry runs in which the judge tries what Git says.
func OwnOfDiff() Own { return trying() }

// asking is how an identity asks who it is and what it may do; nothing is stored.
func asking() Own {
	return Own{{Methods: creates, Resource: "authorization.k8s.io/selfsubjectaccessreviews"},
		{Methods: creates, Resource: "authorization.k8s.io/selfsubjectrulesreviews"},
		{Methods: creates, Resource: "authentication.k8s.io/selfsubjectreviews"}}
}

// reviewing is how an identity asks who somebody else is and what they may do; nothing is stored.
func reviewing() Own {
	return Own{{Methods: creates, Resource: "authentication.k8s.io/tokenreviews"},
		{Methods: creates, Resource: "authorization.k8s.io/subjectaccessreviews"}}
}

// telling is Events.
func telling() Own {
	all := append(slices.Clone(creates), updates...)
	return Own{{Methods: all, Resource: "/events"}, {Methods: all, Resource: "events.k8s.io/events"}}
}

// leading is a Lease.
func leading(lease string) Own {
	return Own{{Methods: append(slices.Clone(creates), updates...), Resource: "coordination.k8s.io/leases", Namespace: OwnNamespace, Name: lease}}
}

// keep reports whether a write is among those of the list. Inside is the name of the object that it would create.
func (o Own) keep(c call, method string, u *url.URL, inside func() string) bool {
	return slices.ContainsFunc(o, func(w Write) bool { return w.covers(c, method, u, inside) })
}

func (w Write) covers(c call, method string, u *url.URL, inside func() string) bool {
	creates := method == http.MethodPost
	switch {
	case !slices.Contains(w.Methods, method) || w.Resource != c.resource || (w.Namespace != "" && w.Namespace != c.namespace):
		return false
	case creates != (c.name == ""): // without a name in its path any other write is to all objects at once
		return false
	case w.DryRun && !dry(method, u):
		return false
	case w.Owner != "" && !slices.Equal(u.Query()["fieldManager"], []string{w.Owner}):
		return false
	case w.Name == "" || w.Name == c.name:
		return true
	}
	return creates && inside() == w.Name
}

// dry reports whether the API server will take a write for a dry run. It reads the options of a deletion from the body where
// there is one, so that no deletion is taken for dry by its query.
func dry(method string, u *url.URL) bool {
	query, err := url.ParseQuery(u.RawQuery)
	return err == nil && method != http.MethodDelete && slices.Equal(query["dryRun"], []string{"All"})
}

// nameInside is the name of an object of Kubernetes in whatever form it is sent; empty if it cannot be read.
func nameInside(body []byte) string {
	obj, _, err := clientgoscheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return ""
	}
	named, err := meta.Accessor(obj)
	if err != nil {
		return ""
	}
	return named.GetName()
}
