package remediate

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/remediate/causes"
)

// The law: what delivers fails where it says so for a while: an object of Flux is not ready or has given up, the last operation of an
// Application of Argo CD failed, or it says that something keeps it from comparing or syncing. One that is suspended is not a fault, nor
// is one of which the controller has not seen the newest words. What servers and manifests say in its messages is kept as a class.
var deliveryWards = slices.Concat(fluxWards(), []ward{foreign(schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Application"},
	causes.DeliveryFailing, argoFails, argoConditions)})

func fluxWards() (all []ward) {
	for kind, version := range map[string]schema.GroupVersion{
		"GitRepository": {Group: "source.toolkit.fluxcd.io", Version: "v1"}, "OCIRepository": {Group: "source.toolkit.fluxcd.io", Version: "v1"},
		"Bucket": {Group: "source.toolkit.fluxcd.io", Version: "v1"}, "HelmRepository": {Group: "source.toolkit.fluxcd.io", Version: "v1"},
		"HelmChart":     {Group: "source.toolkit.fluxcd.io", Version: "v1"},
		"Kustomization": {Group: "kustomize.toolkit.fluxcd.io", Version: "v1"}, "HelmRelease": {Group: "helm.toolkit.fluxcd.io", Version: "v2"},
	} {
		all = append(all, foreign(version.WithKind(kind), causes.DeliveryFailing, fluxFails, fluxConditions))
	}
	slices.SortFunc(all, func(a, b ward) int { return strings.Compare(a.kind.Kind, b.kind.Kind) })
	return all
}

// passing are the reasons for which an object of Flux is not ready while it is at work.
var passing = []string{"Progressing", "ProgressingWithRetry", "Suspended"}

func fluxFails(u *unstructured.Unstructured, now time.Time, patience time.Duration) bool {
	if suspended, _ := cluster.Reconciled(u); suspended {
		return false
	}
	return slices.ContainsFunc(fluxConditions(u), func(c causes.Condition) bool {
		fails := c.Type == "Ready" && c.Status == "False" && !slices.Contains(passing, c.Reason) || c.Type == "Stalled" && c.Status == "True"
		return fails && now.Sub(c.Since) >= patience
	})
}

func fluxConditions(u *unstructured.Unstructured) []causes.Condition {
	return conditionsIn(u, causes.ToldOfDelivery)
}

// skipped is the annotation by which people take an Application out of Argo CD's hands.
const skipped = "argocd.argoproj.io/skip-reconcile"

func argoFails(u *unstructured.Unstructured, now time.Time, patience time.Duration) bool {
	if u.GetAnnotations()[skipped] == "true" {
		return false
	}
	return slices.ContainsFunc(argoConditions(u), func(c causes.Condition) bool {
		return (c.Status == causes.Present || c.Type == causes.Operation && c.Status == "False") && now.Sub(c.Since) >= patience
	})
}

// troubles are the conditions of an Application that keep it from being delivered.
var troubles = []string{"ComparisonError", "InvalidSpecError", "SyncError"}

func argoConditions(u *unstructured.Unstructured) (all []causes.Condition) {
	for _, c := range conditionsIn(u, causes.ToldOfDelivery) {
		if slices.Contains(troubles, c.Type) {
			c.Status = causes.Present
			all = append(all, c)
		}
	}
	text := func(field string) string {
		s, _, _ := unstructured.NestedString(u.Object, "status", "operationState", field)
		return s
	}
	switch phase := text("phase"); phase {
	case "Failed", "Error":
		all = append(all, stated(causes.Operation, "False", phase, instant(text("finishedAt")), causes.ToldOfDelivery(text("message"))))
	case "Succeeded":
		all = append(all, stated(causes.Operation, "True", phase, instant(text("finishedAt")), ""))
	}
	return all
}
