package drift_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/test/helm"
)

const shopRelease = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: NAMESPACE
spec:
  interval: 10m
  chart: {spec: {chart: shop, sourceRef: {kind: GitRepository, name: charts}}}
  values:
    replicas: 2 # as ever
`

// vessel is a harbour whose repository declares a HelmRelease, which real Helm has installed, as Flux would.
type vessel struct {
	*harbour
	y     *delivery
	files map[string]string
}

func newVessel(t *testing.T) *vessel {
	t.Helper()
	y := newDelivery(t)
	v := &vessel{y: y, files: map[string]string{"apps/web.yaml": strings.Replace(shopRelease, "NAMESPACE", y.ns, 1)}}
	v.harbour = harbourOf(y.stage, v.files)
	if out, err := helm.Run(t, "--kubeconfig", v.cluster.Kubeconfig(), "-n", v.ns, "install", "web", "../test/gate/testdata/shop", "--set", "replicas=2"); err != nil {
		t.Fatalf("helm install: %v\n%s", err, out)
	}
	head := v.repo.Head("main")
	y.gitRepository(map[string]any{"url": v.repo.Clone()}, head)
	y.have("kustomize.toolkit.fluxcd.io/v1", "Kustomization", v.ns, "apps", map[string]any{
		"spec": map[string]any{"interval": "10m", "prune": true, "path": "./apps", "sourceRef": map[string]any{"kind": "GitRepository", "name": "code"}},
		"status": map[string]any{"lastAppliedRevision": "main@sha1:" + head,
			"inventory": map[string]any{"entries": []any{map[string]any{"id": v.ns + "_web_helm.toolkit.fluxcd.io_HelmRelease", "v": "v2"}}}}})
	y.have("helm.toolkit.fluxcd.io/v2", "HelmRelease", v.ns, "web", map[string]any{"spec": map[string]any{"interval": "10m", "values": map[string]any{"replicas": 2}},
		"status": map[string]any{"storageNamespace": v.ns, "conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
			"history": []any{map[string]any{"name": "web", "namespace": v.ns, "version": 1, "status": "deployed"}}}})
	v.kubectl("", "create", "role", "helm", "--verb=get", "--resource=secrets")
	v.kubectl("", "create", "rolebinding", "helm", "--role=helm", "--serviceaccount=moorgate-system:moorgate-judge", "--serviceaccount=moorgate-system:moorgate-act")
	v.detector.HelmReleases, v.face.Detector.HelmReleases = true, true
	v.eventually("what Helm deployed is compared", func() bool { v.y.rounds(); return v.detector.DeliveryCounts()["compared"] > 1 })
	return v
}

// TestWhatHelmDeliversBecomesAPullRequest has what real Helm installed changed by hand, in a field whose value the HelmRelease states and
// in one whose value is the chart's own: the edits are in the HelmRelease in Git, for the branch that Flux follows.
func TestWhatHelmDeliversBecomesAPullRequest(t *testing.T) {
	for name, test := range map[string]struct {
		change []string
		want   string
	}{
		"a value that Git states": {[]string{"scale", "deployment/web", "--replicas=5"}, "    replicas: 5 # as ever\n"},
		"a value of the chart's own": {[]string{"set", "image", "deployment/web", "app=registry.example/shop/web:1.5"},
			"    replicas: 2 # as ever\n    image: registry.example/shop/web:1.5\n"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVessel(t)
			if open := v.y.open(); len(open) != 0 {
				t.Fatalf("nothing has changed, and open is %s", asJSON(open))
			}
			v.kubectl("", test.change...)
			v.y.rounds()
			k := v.standing()
			a := v.act(k)
			if a.Phase != v1alpha1.PhaseActed || len(v.pulls()) != 1 {
				t.Fatalf("acting %s; the Case %s", asJSON(a), asJSON(k.Status))
			}
			want := strings.Replace(v.files["apps/web.yaml"], "    replicas: 2 # as ever\n", test.want, 1)
			if got := v.repo.Files(v.pulls()[0].Head)["apps/web.yaml"]; got != want {
				t.Errorf("it proposes\n%s", got)
			}
			if body := v.pulls()[0].Body; !strings.Contains(body, "flux reconcile helmrelease web -n "+v.ns+" --force") {
				t.Errorf("it does not say how to go back:\n%s", body)
			}
		})
	}
}

// TestARepositoryIsAskedAgainForTheValuesOfARelease has the repository in which a HelmRelease stands not be readable for a moment.
func TestARepositoryIsAskedAgainForTheValuesOfARelease(t *testing.T) {
	v := newVessel(t)
	v.detector = v.detectorAs(v.judge)
	v.detector.HelmReleases = true
	read, asked := v.detector.Git, 0
	v.detector.Git = func(context.Context, drift.Repository, string) (drift.Tree, error) {
		asked++
		return drift.Tree{}, errors.New("not now")
	}
	v.y.rounds()
	if asked == 0 || len(v.y.open()) != 0 {
		t.Fatalf("Git was asked %d times; open is %s", asked, asJSON(v.y.open()))
	}
	v.detector.Git = read
	v.kubectl("", "scale", "deployment/web", "--replicas=5")
	v.y.rounds()
	if k := v.standing(); !strings.Contains(asJSON(k.Status), "apps/web.yaml:10 - replicas: 2 + replicas: 5") {
		t.Errorf("it can be read again, and the Case says %s", asJSON(k.Status))
	}
}

// TestWhatHelmDeliversIsEditedOnlyWhereThatIsProven has each reason for which no value is edited, on the Case by name.
func TestWhatHelmDeliversIsEditedOnlyWhereThatIsProven(t *testing.T) {
	v := newVessel(t)
	v.kubectl("", "scale", "deployment/web", "--replicas=5")
	v.y.rounds()
	if k := v.standing(); !strings.Contains(asJSON(k.Status), "apps/web.yaml:10 - replicas: 2 + replicas: 5") {
		t.Fatalf("it could be edited, and the Case says %s", asJSON(k.Status))
	}
	v.kubectl("", "patch", "kustomization.kustomize.toolkit.fluxcd.io/apps", "--type=json", `-p=[{"op": "replace", "path": "/status/inventory/entries", "value": []}]`)
	v.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.6")
	v.y.rounds()
	if k := v.standing(); !strings.Contains(asJSON(k.Status), "no Kustomization of Flux is known that delivered its HelmRelease") || len(k.Status.Menu) != 2 {
		t.Errorf("nobody is known to have delivered it, and the Case says %s", asJSON(k.Status))
	}
}
