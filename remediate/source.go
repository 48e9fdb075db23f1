package remediate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// The law: whoever owns a manifest undoes what others change, and that is a second rollout of what was hurt already. So a
// live change is offered only where nobody is known to own it and nothing speaks for an owner. Tools are known by the marks
// that they leave and by the names under which they write. Where the marks could be anybody's, or a GitSource reads Git for
// the namespace, the owner is not known; that is not the same as none.

// tools are the field managers of those who write what Git or a chart says. A name that ends in * stands for all that begin so.
var tools = []struct{ manager, tool string }{
	{"argocd-*", "Argo CD"}, {"kustomize-controller", "Flux"}, {"helm-controller", "Helm"}, {"helm", "Helm"},
	{"fleetagent", "Fleet"}, {"kapp", "kapp"},
}

// sourceOf is who writes a workload's manifest, by the metadata of the workload alone; empty for nobody.
func sourceOf(m *metav1.ObjectMeta) gate.Fact[string] {
	for label := range m.Labels {
		if strings.HasPrefix(label, "kustomize.toolkit.fluxcd.io/") || strings.HasPrefix(label, "helm.toolkit.fluxcd.io/") {
			return gate.Known("Flux")
		}
	}
	switch {
	case m.Annotations["argocd.argoproj.io/tracking-id"] != "" || m.Labels["argocd.argoproj.io/instance"] != "":
		return gate.Known("Argo CD")
	case m.Labels["app.kubernetes.io/managed-by"] == "Helm" || m.Annotations["meta.helm.sh/release-name"] != "":
		return gate.Known("Helm")
	}
	source := writerOf(m.ManagedFields)
	if tool, known := source.Get(); known && tool == "" && m.Labels["app.kubernetes.io/instance"] != "" {
		return gate.Unknown[string]("the label app.kubernetes.io/instance may be Argo CD's, which sets no other by default")
	}
	return source
}

// writerOf is who writes a manifest, by the names under which its fields were written. Whoever applies a spec server-side
// keeps it, and will apply it again; kubectl does so when a person says so.
func writerOf(entries []metav1.ManagedFieldsEntry) gate.Fact[string] {
	if len(entries) == 0 {
		return gate.Unknown[string]("the API server does not say who wrote it")
	}
	stranger := ""
	for _, e := range entries {
		if e.Subresource != "" {
			continue
		}
		for _, t := range tools {
			prefix, open := strings.CutSuffix(t.manager, "*")
			if e.Manager == t.manager || open && strings.HasPrefix(e.Manager, prefix) {
				return gate.Known(t.tool)
			}
		}
		if e.Operation == metav1.ManagedFieldsOperationApply && !strings.HasPrefix(e.Manager, "kubectl") && ownsSpec(e) {
			stranger = e.Manager
		}
	}
	if stranger != "" {
		return gate.Unknown[string](gate.OneLine(stranger, 128) + " applies it, and may apply it again")
	}
	return gate.Known("")
}

// ownsSpec is whether an entry holds any field of a spec. What cannot be read may.
func ownsSpec(e metav1.ManagedFieldsEntry) bool {
	if e.FieldsV1 == nil {
		return false
	}
	var fields map[string]json.RawMessage
	err := json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields)
	return err != nil || len(fields["f:spec"]) > 0
}

// source completes what the metadata says with whether Moorgate itself reads Git for the namespace. unread is why that could
// not be told.
func (e eye) source(ctx context.Context, m *metav1.ObjectMeta) (source gate.Fact[string], unread string, err error) {
	source = sourceOf(m)
	if tool, known := source.Get(); !known || tool != "" {
		return source, "", nil
	}
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GitSourceList"))
	err = e.owners.List(ctx, &list, client.InNamespace(m.Namespace), client.Limit(1))
	switch {
	case apierrors.IsForbidden(err) || meta.IsNoMatchError(err):
		unread = "whether a GitSource holds it: " + refusal(err)
		return gate.Unknown[string](unread), unread, nil
	case err != nil:
		return source, "", fmt.Errorf("list the GitSources of namespace %s: %w", m.Namespace, err)
	case len(list.Items) > 0:
		return gate.Unknown[string]("GitSource " + list.Items[0].Name + " may hold it"), "", nil
	}
	return source, "", nil
}
