package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	fluxApps = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system, generation: 3}
spec: {suspend: false, sourceRef: {kind: GitRepository, name: code}, postBuild: {substitute: {password: hunter2}}}
status:
  inventory: {entries: [{id: shop_web_apps_Deployment, v: v1}]}
  conditions: [{type: Ready, status: "True", reason: ReconciliationSucceeded, message: "hunter2", observedGeneration: 3}]`
	fluxCode = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: code, namespace: flux-system, generation: 1}
spec: {url: "https://user:hunter2@git.example/code"}
status: {conditions: [{type: Ready, status: "False", reason: GitOperationFailed, message: "hunter2"}]}`
	fluxRelease = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  suspend: true
  driftDetection: {mode: enabled}
  values: {password: hunter2}
  chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}
status: {helmChart: flux-system/shop-web}`
	argoShop = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec: {syncPolicy: {automated: {selfHeal: true}}, source: {helm: {values: "password: hunter2"}}}
status:
  conditions: [{type: ComparisonError, message: "hunter2"}]
  resources: [{group: apps, kind: Deployment, namespace: shop, name: web, status: Synced}]`
)

// delivered looks at the web Deployment with these labels among the objects.
func delivered(t *testing.T, labels map[string]string, cluster wholeCluster) (checks.Rollout, []string) {
	t.Helper()
	d := webDeployment("web:1")
	d.Labels = labels
	r, seen, unread, err := cluster.world().Look(context.Background(), nil, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range seen {
		if strings.Contains(e.Text+e.Unread, "hunter2") {
			t.Errorf("evidence holds a value: %+v", e)
		}
	}
	return r, unread
}

var (
	byKustomization = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	atHome          = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "shop"}
	byTracking      = map[string]string{"argocd.argoproj.io/instance": "shop"}
	byRelease       = map[string]string{"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}
	byInstance      = map[string]string{"app.kubernetes.io/instance": "shop"}
)

func TestWhatAppliesAWorkloadIsLookedUp(t *testing.T) {
	with := func(manifests ...string) wholeCluster {
		objects := shopObjects()
		for _, m := range manifests {
			objects = append(objects, parsed(t, m))
		}
		return clusterOf(t, objects...)
	}
	other := strings.Replace(fluxApps, "shop_web_apps", "shop_other_apps", 1)
	for name, tt := range map[string]struct {
		labels  map[string]string
		cluster wholeCluster
		want    checks.Delivery
		trouble []string // of the sources, in order; ? where unknown
	}{
		"a Kustomization, with its source":       {byKustomization, with(fluxApps, fluxCode), checks.Delivery{Here: true, Undoes: true}, []string{"GitOperationFailed"}},
		"one elsewhere that does not know it":    {byKustomization, with(other, fluxCode), checks.Delivery{}, nil},
		"one elsewhere that applies to here":     {byKustomization, with(strings.Replace(other, "{suspend: false,", "{targetNamespace: shop,", 1), fluxCode), checks.Delivery{Here: true}, []string{"GitOperationFailed"}},
		"one of the same namespace":              {atHome, with(strings.Replace(other, "flux-system", "shop", 1)), checks.Delivery{Here: true}, []string{"?"}},
		"one whose source is not there":          {byKustomization, with(fluxApps), checks.Delivery{Here: true, Undoes: true}, []string{"?"}},
		"one that is not there":                  {byKustomization, with(), checks.Delivery{}, nil},
		"a HelmRelease that watches for drift":   {byRelease, with(fluxRelease), checks.Delivery{Here: true, Undoes: true, Suspended: true}, []string{"?", "?"}},
		"an Application that lists the workload": {byInstance, with(argoShop), checks.Delivery{Here: true, Undoes: true, Trouble: "ComparisonError"}, nil},
		"an Application that does not":           {byInstance, with(strings.Replace(argoShop, "name: web", "name: api", 1)), checks.Delivery{}, nil},
		"nor does one by Argo CD's own label":    {byTracking, with(strings.Replace(argoShop, "name: web", "name: api", 1)), checks.Delivery{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := delivered(t, tt.labels, tt.cluster)
			d, known := r.World.Delivery.Get()
			var trouble []string
			for _, u := range d.Sources {
				state, ok := u.State.Get()
				if !ok {
					state.Trouble = "?"
				}
				trouble = append(trouble, state.Trouble)
			}
			d.Sources = nil
			if !known || d.Here != tt.want.Here || d.Undoes != tt.want.Undoes || d.Suspended != tt.want.Suspended || d.Trouble != tt.want.Trouble || !slices.Equal(trouble, tt.trouble) {
				t.Errorf("%+v with sources %v, want %+v with %v", d, trouble, tt.want, tt.trouble)
			}
		})
	}
}

func TestWhatAppliesAWorkloadIsUnknownWhereItCannotBeRead(t *testing.T) {
	c := clusterOf(t, shopObjects()...)
	c.fail["unstructured.Unstructured"] = apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no"))
	r, unread := delivered(t, byKustomization, c)
	if r.World.Delivery.Why() == "" || !slices.Equal(unread, []string{"Kustomization flux-system/apps"}) {
		t.Errorf("%v, unread %v", r.World.Delivery, unread)
	}
	files, err := NewFiles("shop", shopObjects()...)
	if err != nil {
		t.Fatal(err)
	}
	d := webDeployment("web:1")
	d.Labels = byKustomization
	r, _, _, err = World{Reader: files, Secrets: files}.Look(context.Background(), nil, d)
	if err != nil || r.World.Delivery.Why() != errOffline.Error() {
		t.Errorf("offline: %v, %v", r.World.Delivery, err)
	}
}

// What a cache keeps of such objects is what a look needs, and no value of theirs.
func TestSlimObjectsOfGitOpsToolsAreLookedAtAlike(t *testing.T) {
	for _, m := range []string{fluxApps, fluxCode, fluxRelease, argoShop} {
		whole := parsed(t, m)
		slim, err := Slim(whole)
		if err != nil {
			t.Fatal(err)
		}
		u := slim.(client.Object)
		labels := map[string]map[string]string{"Kustomization": byKustomization, "GitRepository": byKustomization, "HelmRelease": byRelease, "Application": byInstance}[whole.GetKind()]
		more := []client.Object{}
		if whole.GetKind() == "GitRepository" {
			more = append(more, parsed(t, fluxApps))
		}
		before, _ := delivered(t, labels, clusterOf(t, append(more, whole)...))
		after, _ := delivered(t, labels, clusterOf(t, append(more, u)...))
		a, b := before.World.Delivery, after.World.Delivery
		if x, y := asText(a), asText(b); x != y || strings.Contains(asText(gate.Known(u)), "hunter2") {
			t.Errorf("%s: %s\nslim: %s\nof %s", whole.GetKind(), x, y, asText(gate.Known(u)))
		}
	}
}

func asText[T any](f gate.Fact[T]) string {
	v, known := f.Get()
	return fmt.Sprintf("%t %+v", known, v)
}
