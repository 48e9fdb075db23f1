package webhook

import (
	"context"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/webhook/checks"
)

func parsed(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

const outRoute = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: out, namespace: shop}
spec:
  rules:
    - backendRefs: [{name: web, port: 80, weight: 9}, {name: api, namespace: shop, kind: Service, port: 81}]
    - {}
    - backendRefs: [{name: far, namespace: other, port: 82}, {name: bucket, group: example.com, kind: Bucket}]`

func TestAnHTTPRouteLeadsToServicesOfItsNamespace(t *testing.T) {
	got, err := routeOf(parsed(t, outRoute))
	want := checks.Route{Kind: "HTTPRoute", Name: "out", Backends: []checks.Backend{{Service: "web", Port: 80}, {Service: "api", Port: 81}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := routeOf(parsed(t, "{kind: HTTPRoute, metadata: {name: out}, spec: {rules: nonsense}}")); err == nil {
		t.Errorf("read %+v out of nonsense", got)
	}
}

const shopCertificate = `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: shop, namespace: shop}
spec: {secretName: db}
status: {notAfter: "2026-02-01T00:00:00Z"}`

func TestCertificatesAreLookedUpAndOneThatMakesNoSenseMakesThemUnknown(t *testing.T) {
	look := func(more ...client.Object) checks.Rollout {
		r, _, _, err := clusterOf(t, append(shopObjects(), more...)...).world().Look(context.Background(), nil, webDeployment("web:1"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	good := parsed(t, shopCertificate)
	if all, _ := look(good).World.Certificates.Get(); len(all) != 1 || all[0].Secret != "db" || all[0].NotAfter.IsZero() {
		t.Errorf("%+v", all)
	}
	bad := good.DeepCopy()
	bad.Object["spec"] = "nonsense"
	if f := look(good, bad).World.Certificates; f.Why() == "" {
		t.Errorf("%v is known", f)
	}
	r := look()
	files, err := NewFiles("shop", good)
	if err != nil {
		t.Fatal(err)
	}
	files.Complete(&r)
	if all, _ := r.World.Certificates.Get(); len(all) != 1 {
		t.Errorf("a review sees %+v", all)
	}
}

func TestWhatLeadsToThePodsIsLookedUp(t *testing.T) {
	r, _, unread, err := clusterOf(t, append(shopObjects(), parsed(t, outRoute), &corev1.Service{ObjectMeta: inShop("web")},
		&networkingv1.Ingress{ObjectMeta: inShop("in")})...).world().Look(context.Background(), webDeployment("web:2"), webDeployment("web:1"))
	if err != nil || len(unread) > 0 {
		t.Fatalf("unread %v, %v", unread, err)
	}
	services, _ := r.World.Services.Get()
	ingresses, _ := r.World.Ingresses.Get()
	routes, _ := r.World.HTTPRoutes.Get()
	neighbours, _ := r.World.Neighbours.Get()
	if len(services) != 1 || len(ingresses) != 1 || len(routes) != 1 || len(neighbours) != 2 {
		t.Errorf("%d Services, %d Ingresses, %d HTTPRoutes, %d neighbours", len(services), len(ingresses), len(routes), len(neighbours))
	}
}

func TestAReviewSeesTheServicesOfItsFiles(t *testing.T) {
	live := &corev1.Service{ObjectMeta: inShop("web")}
	mine := live.DeepCopy()
	mine.Spec.Selector = map[string]string{"app": "web"}
	r, _, _, err := clusterOf(t, live, &corev1.Service{ObjectMeta: inShop("api")}).world().Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := NewFiles("shop", mine, &networkingv1.Ingress{ObjectMeta: inShop("in")}, parsed(t, outRoute))
	if err != nil {
		t.Fatal(err)
	}
	files.Complete(&r)
	services, _ := r.World.Services.Get()
	ingresses, _ := r.World.Ingresses.Get()
	routes, _ := r.World.HTTPRoutes.Get()
	if len(services) != 2 || services[1].Spec.Selector["app"] != "web" || len(ingresses) != 1 || len(routes) != 1 {
		t.Errorf("Services %+v, Ingresses %+v, HTTPRoutes %+v", services, ingresses, routes)
	}
}
