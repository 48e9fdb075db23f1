package remediate_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
)

// TestL21WhoMayOwnTheManifest shows bad rollouts beside revisions that still work. A live change is offered only where
// nothing speaks for an owner who would undo it; a proposal in Git only where the owner is known.
func TestL21WhoMayOwnTheManifest(t *testing.T) {
	for name, c := range map[string]struct {
		labels    map[string]string
		manager   string // applies the label team, server-side, with the replicas
		gitSource bool
		want      string
	}{
		"nobody":                {nil, "", false, "roll-back"},
		"argo-by-its-manager":   {nil, "argocd-controller", false, "pull-request"},
		"flux-by-its-manager":   {nil, "kustomize-controller", false, "pull-request"},
		"argo-by-default-label": {map[string]string{"app.kubernetes.io/instance": "shop"}, "", false, ""},
		"somebody-who-applies":  {nil, "pulumi-kubernetes-1234", false, ""},
		"a-git-source":          {nil, "", true, ""},
		"flux-and-a-git-source": {map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps"}, "", true, "pull-request"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			if c.gitSource {
				h.create(&v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "shop"}, Spec: v1alpha1.GitSourceSpec{URL: "https://git.example/shop"}})
			}
			d := h.deployment("web", 2, "", func(d *appsv1.Deployment) {
				d.Labels = c.labels
				d.Spec.Template.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
			})
			h.pods("web", 2, ready)
			if c.manager != "" {
				h.apply(c.manager)
			}
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Labels[cluster.FaultLabel] = string(cluster.CrashLoop) })
			h.watchWith()
			k := h.judged("web", anyVerdict)
			got := strings.TrimSuffix(menuOf(k), "escalate nothing")
			if got = strings.TrimSpace(got); got != c.want || c.want != "" && !slices.Equal(k.Status.Chosen, []string{c.want}) {
				t.Errorf("offered is %q, want %q; chosen is %v", got, c.want, k.Status.Chosen)
			}
		})
	}
}

// apply applies part of the Deployment web under a field manager's name.
func (h *house) apply(manager string) {
	h.t.Helper()
	patch := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":2}}`
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "web"}}
	if err := h.admin.Patch(h.t.Context(), d, client.RawPatch("application/apply-patch+yaml", []byte(patch)), client.FieldOwner(manager), client.ForceOwnership); err != nil {
		h.t.Fatal(err)
	}
}
