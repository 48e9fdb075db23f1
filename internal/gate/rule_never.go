package gate

import (
	"fmt"
	"strings"
)

// The law: some things are never changed, whatever a Guardrail, a human or a model says, because a mistake with them cannot be
// bounded: namespaces, who may do what, Secrets, what the API server serves and who it asks, and Moorgate's own kinds. Volumes
// are never deleted. This is compiled in and cannot be configured.
var neverRule = rule{
	doc: Doc{ID: "never", Since: "v0.2", Severity: Deny, Title: "Never",
		Text: "Namespaces, RBAC, Secrets, CustomResourceDefinitions, API services, webhook and admission configurations and Moorgate's own kinds are never changed; volumes and claims are never deleted. No Guardrail and no approval lifts this."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		return m.each(ReachMark, func(x *chosen) (Decision, string) {
			if what := untouchable(*x.Action); what != "" {
				return Deny, fmt.Sprintf("Moorgate never changes %s: %s %s", what, x.Verb, x.Target)
			}
			return Allow, ""
		})
	},
}

// untouchableGroups are API groups of which nothing is ever changed.
var untouchableGroups = map[string]string{
	"rbac.authorization.k8s.io":    "who may do what",
	"apiextensions.k8s.io":         "what the API server serves",
	"apiregistration.k8s.io":       "what the API server serves",
	"admissionregistration.k8s.io": "whom the API server asks",
	"certificates.k8s.io":          "certificates",
	"moorgate.dev":                 "its own kinds",
}

// untouchable says what an action would change that is never changed; empty if nothing.
func untouchable(x Action) string {
	if what := untouchableGroups[x.Target.Group]; what != "" {
		return what
	}
	if x.Target.Group != "" {
		return ""
	}
	switch x.Target.Kind {
	case "Namespace":
		return "namespaces"
	case "Secret":
		return "Secrets"
	case "ServiceAccount":
		return "who may do what"
	case "PersistentVolume", "PersistentVolumeClaim":
		if deletes(x) {
			return "volumes by deleting them"
		}
	}
	return ""
}

// deletes is whether an action deletes its target, whatever it calls that.
func deletes(x Action) bool {
	return strings.HasPrefix(strings.ToLower(x.Verb), "delete") || x.Request != nil && strings.EqualFold(x.Request.Method, "DELETE")
}
