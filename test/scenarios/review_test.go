package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAReviewLooksUpKeysAndWhatAppliesAWorkload: what the gate says about a key that is missing and about a Kustomization, a review
// of the file says before, with the cluster and without.
func TestAReviewLooksUpKeysAndWhatAppliesAWorkload(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Enforce"))
	p.apply("what exists before", `apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {suspend: true, sourceRef: {kind: GitRepository, name: code}}
`)
	manifest := strings.Replace(sound("web"), "metadata: {name: web}",
		"metadata: {name: web, labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: "+p.ns+"}}", 1)
	manifest = strings.Replace(manifest, "          resources:",
		"          env: [{name: SIZE, valueFrom: {configMapKeyRef: {name: settings, key: size}}}]\n          resources:", 1)
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := p.cli(t.Context(), "review", "-f", file, "-n", p.ns, "--kubeconfig", p.c.Kubeconfig())
	if wrong := holdsAll(out, "ConfigMap settings has no key size (env SIZE of app)", "Kustomization apps is suspended"); err != nil || wrong != nil {
		t.Errorf("with the cluster: %v, %v\n%s", err, wrong, out)
	}
	out, err = p.cli(t.Context(), "review", "-f", file, "-n", p.ns, "--offline")
	if wrong := holdsAll(out, "ConfigMap/settings", "Kustomization "+p.ns+"/apps"); err != nil || wrong != nil || strings.Contains(out, "has no key") || strings.Contains(out, "is suspended") {
		t.Errorf("without: %v, %v\n%s", err, wrong, out)
	}
}
