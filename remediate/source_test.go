package remediate

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func wrote(manager string, how metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: how, FieldsV1: metav1.NewFieldsV1(fields)}
}

func TestSourceOf(t *testing.T) {
	type marks = map[string]string
	const spec, label = `{"f:spec":{"f:replicas":{}}}`, `{"f:metadata":{"f:labels":{"f:team":{}}}}`
	scaled := wrote("argocd-server", "Update", spec)
	scaled.Subresource = "scale"
	for name, c := range map[string]struct {
		labels, annotations marks
		entry               metav1.ManagedFieldsEntry
		want, unknown       string
	}{
		"nobody":                        {labels: marks{"app": "web"}},
		"a Flux Kustomization":          {labels: marks{"kustomize.toolkit.fluxcd.io/name": "apps"}, want: "Flux"},
		"a Flux HelmRelease":            {labels: marks{"helm.toolkit.fluxcd.io/name": "web", "app.kubernetes.io/managed-by": "Helm"}, want: "Flux"},
		"Argo CD, by annotation":        {annotations: marks{"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}, want: "Argo CD"},
		"Argo CD, by label":             {labels: marks{"argocd.argoproj.io/instance": "web"}, want: "Argo CD"},
		"Argo CD, by its default label": {labels: marks{"app.kubernetes.io/instance": "web"}, unknown: "app.kubernetes.io/instance"},
		"Argo CD, by its manager":       {entry: wrote("argocd-controller", "Apply", spec), want: "Argo CD"},
		"Argo CD, which only scaled":    {entry: scaled},
		"Flux, by its manager":          {entry: wrote("kustomize-controller", "Apply", spec), want: "Flux"},
		"Helm":                          {labels: marks{"app.kubernetes.io/managed-by": "Helm"}, want: "Helm"},
		"Helm, which sets instance":     {labels: marks{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "web"}, want: "Helm"},
		"Helm, by annotation":           {annotations: marks{"meta.helm.sh/release-name": "web"}, want: "Helm"},
		"Helm, by its manager":          {entry: wrote("helm", "Update", spec), want: "Helm"},
		"managed by somebody else":      {labels: marks{"app.kubernetes.io/managed-by": "me"}},
		"a person who applies":          {entry: wrote("kubectl", "Apply", spec)},
		"a stranger who applies":        {entry: wrote("pulumi\u202e", "Apply", spec), unknown: "pulumi applies it"},
		"one who applies a label":       {entry: wrote("moorgate", "Apply", label)},
		"one whose fields make no sense": {
			entry: wrote("somebody", "Apply", "{"), unknown: "somebody applies it"},
	} {
		m := &metav1.ObjectMeta{Labels: c.labels, Annotations: c.annotations,
			ManagedFields: []metav1.ManagedFieldsEntry{wrote("kubectl-create", "Update", spec), c.entry}}
		source := sourceOf(m)
		got, known := source.Get()
		if got != c.want || known != (c.unknown == "") || !strings.Contains(source.Why(), c.unknown) {
			t.Errorf("%s: %q, known is %t: %s", name, got, known, source.Why())
		}
	}
	if _, known := sourceOf(&metav1.ObjectMeta{}).Get(); known {
		t.Error("nobody wrote it, and that is taken for knowledge")
	}
}
