package webhook

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
	"moorgate.dev/webhook/probe"
)

func needing(list string) *appsv1.Deployment {
	d := webDeployment("web:1")
	d.Annotations = map[string]string{checks.DependsOn: list}
	return d
}

func serviceOf(meta metav1.ObjectMeta) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": meta.Name}}}
}

func sliceOf(meta metav1.ObjectMeta, ready *bool) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: meta, Endpoints: []discoveryv1.Endpoint{{Conditions: discoveryv1.EndpointConditions{Ready: ready}}}}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: meta.Name}
	return s
}

// outsideStub knows one host for one namespace, and one way across.
type outsideStub struct{ state gate.Fact[probe.State] }

func (o outsideStub) State(string, string) gate.Fact[probe.State] { return o.state }
func (o outsideStub) Across(from, to string) bool                 { return from == "shop" && to == "payments" }

func TestDependenciesAreLookedAt(t *testing.T) {
	no, yes := false, true
	elsewhere := func(ns string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: ns, Name: "api"} }
	set := func(ready int32) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{ObjectMeta: inShop("db"), Status: appsv1.StatefulSetStatus{ReadyReplicas: ready}}
	}
	for name, tt := range map[string]struct {
		needs   string
		objects []client.Object
		outside Outside
		want    string // a part of the finding
		unread  string
	}{
		"a Service with a ready endpoint":        {needs: "service/api", objects: []client.Object{serviceOf(inShop("api")), sliceOf(inShop("api"), &yes)}},
		"an endpoint of which nothing is said":   {needs: "service/api", objects: []client.Object{serviceOf(inShop("api")), sliceOf(inShop("api"), nil)}},
		"a Service with one that is not ready":   {needs: "service/api", objects: []client.Object{serviceOf(inShop("api")), sliceOf(inShop("api"), &no)}, want: "Service api has no ready endpoint"},
		"the endpoint of another Service":        {needs: "service/api", objects: []client.Object{serviceOf(inShop("api")), sliceOf(inShop("other"), &yes)}, want: "Service api has no ready endpoint"},
		"a Service that selects nothing":         {needs: "service/api", objects: []client.Object{&corev1.Service{ObjectMeta: inShop("api")}}},
		"a Service that is not there":            {needs: "service/api", want: "Service api does not exist"},
		"one of that name in another namespace":  {needs: "service/api", objects: []client.Object{serviceOf(elsewhere("other"))}, want: "Service api does not exist"},
		"a StatefulSet with a ready pod":         {needs: "statefulset/db", objects: []client.Object{set(1)}},
		"a StatefulSet without":                  {needs: "statefulset/db", objects: []client.Object{set(0)}, want: "StatefulSet db has no ready pod"},
		"another namespace that no admin opened": {needs: "service/other/api", objects: []client.Object{serviceOf(elsewhere("other"))}, outside: outsideStub{}, unread: "Service api"},
		"the same without an admin's list":       {needs: "service/payments/api", unread: "Service api"},
		"another namespace that an admin opened": {needs: "service/payments/api", objects: []client.Object{serviceOf(elsewhere("payments")), sliceOf(elsewhere("payments"), &yes)}, outside: outsideStub{}},
		"one opened, and not there":              {needs: "service/payments/api", outside: outsideStub{}, want: "Service api does not exist"},
		"a host that is well":                    {needs: "external/x", outside: outsideStub{gate.Known(probe.State{At: worldNoon})}},
		"a host that fails":                      {needs: "external/x", outside: outsideStub{gate.Known(probe.State{At: worldNoon, Failed: "TCP: refused"})}, want: "external x: TCP: refused, at 12:00:00 UTC"},
		"a host that was not probed":             {needs: "external/x", outside: outsideStub{gate.Unknown[probe.State]("not yet")}, unread: "external x"},
		"a host where nobody probes":             {needs: "external/x", unread: "external x"},
	} {
		t.Run(name, func(t *testing.T) {
			w := clusterOf(t, append(shopObjects(), tt.objects...)...).world()
			w.Outside = tt.outside
			r, seen, unread, err := w.Look(context.Background(), nil, needing(tt.needs))
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			for _, e := range seen {
				ids[e.ID] = true
			}
			var texts []string
			for _, f := range checks.Assess(r, nil).Findings {
				if f.ID == checks.Depended {
					texts = append(texts, f.Text)
					for _, id := range f.Evidence {
						if !ids[id] {
							t.Errorf("%s is cited and was not collected", id)
						}
					}
				}
			}
			if got := strings.Join(texts, "\n"); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if got := strings.Join(unread, ","); got != tt.unread {
				t.Errorf("unread %q, want %q", got, tt.unread)
			}
		})
	}
}

func TestEndpointsThatCannotBeReadAreUnknown(t *testing.T) {
	c := clusterOf(t, append(shopObjects(), serviceOf(inShop("api")))...)
	c.fail["v1.EndpointSliceList"] = apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no"))
	r, _, unread, err := c.world().Look(context.Background(), nil, needing("service/api"))
	if err != nil || !slices.Equal(unread, []string{"Service api"}) {
		t.Errorf("unread %v, %v", unread, err)
	}
	if confidence, _ := checks.Assess(r, nil).Confidence.Get(); confidence >= 100 {
		t.Error("what could not be read lowers no confidence")
	}
}

func TestWhatIsAppliedTogetherIsThereForAReviewer(t *testing.T) {
	files, err := NewFiles("shop", serviceOf(inShop("api")))
	if err != nil {
		t.Fatal(err)
	}
	r, _, _, err := clusterOf(t, shopObjects()...).world().Look(context.Background(), nil, needing("service/api,service/other"))
	if err != nil {
		t.Fatal(err)
	}
	files.Complete(&r)
	api, _ := r.World.Dependencies[checks.Dependency{Kind: "Service", Namespace: "shop", Name: "api"}].Get()
	other, _ := r.World.Dependencies[checks.Dependency{Kind: "Service", Namespace: "shop", Name: "other"}].Get()
	if api.Missing || !other.Missing {
		t.Errorf("%+v %+v: the first is in the files", api, other)
	}
}
