package drift_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi3"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

const widgetKind = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.more.example.com}
spec:
  group: more.example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              mode: {type: string, default: slow}
              replicas: {type: integer}
              token: {type: string}
              steps:
                type: array
                items: {type: object, properties: {run: {type: string}, retries: {type: integer, default: 3}}}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, size: {type: integer, default: 1}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`

const widget = `apiVersion: more.example.com/v1
kind: Widget
metadata: {name: w}
spec:
  replicas: 2
  token: planted-git
  steps: [{run: a}, {run: b, retries: 5}]
  parts: [{name: left}, {name: right, size: 4}]
`

func TestCustomResourcesAreComparedWhereTheyAreAskedFor(t *testing.T) {
	s := newStage(t)
	s.kubectl(widgetKind, "apply", "-f", "-")
	s.kubectl("", "wait", "--for=condition=Established", "--timeout=60s", "crd/widgets.more.example.com")
	s.ok(s.admin.Create(t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "more"},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"more.example.com"}, Resources: []string{"widgets"}, Verbs: []string{"get"}}}}))
	s.ok(s.admin.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "more"},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "more"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "moorgate-system", Name: "moorgate-judge"}}}))
	discoverer, err := discovery.NewDiscoveryClientForConfig(s.judge)
	s.ok(err)
	kinds, err := drift.ParseKinds([]string{"Widget.more.example.com"})
	s.ok(err)
	s.detector.More = &drift.More{Kinds: kinds, Published: openapi3.NewRoot(discoverer.OpenAPIV3()), Now: time.Now}
	s.commit(map[string]string{"deploy/w.yaml": widget})
	s.source(nil)
	s.eventually("it is served", func() bool {
		cmd := s.cluster.Kubectl(t.Context(), "-n", s.ns, "apply", "-f", "-")
		cmd.Stdin = strings.NewReader(widget)
		return cmd.Run() == nil
	})
	s.eventually("it says what Git says, with what the API server filled in", func() bool {
		s.round()
		return len(s.open()) == 0 && strings.Contains(s.ready().Message, ": 1")
	})
	s.kubectl("", "patch", "widgets.more.example.com/w", "--type=merge", "--subresource=status", "-p", `{"status":{"ok":true}}`)
	s.round()
	if open := s.open(); len(open) != 0 {
		t.Fatalf("a status is no drift: %s", asJSON(open))
	}
	for _, story := range []struct{ change, want string }{
		{`[{"op":"replace","path":"/spec/replicas","value":5}]`, "replicas is 5, Git says 2"},
		{`[{"op":"replace","path":"/spec/token","value":"planted-live"}]`, "token is not what Git says"},
		{`[{"op":"replace","path":"/spec/parts/1/size","value":9}]`, "parts[name=right].size is 9, Git says 4"},
		{`[{"op":"remove","path":"/spec/parts/0"}]`, "parts[name=left] is missing, and Git declares it"},
		{`[{"op":"add","path":"/spec/parts/-","value":{"name":"mid"}}]`, "parts[name=mid] was added, and Git does not have it"},
		{`[{"op":"add","path":"/spec/steps/-","value":{"run":"c"}}]`, "steps is not what Git says"},
		{`[{"op":"replace","path":"/spec/mode","value":"fast"}]`, "mode was added, and Git does not have it"},
	} {
		s.kubectl("", "patch", "widgets.more.example.com/w", "--type=json", "-p", story.change)
		s.round()
		open := s.open()
		if len(open) != 1 || !strings.Contains(asJSON(open[0].Status.Findings), story.want) || len(open[0].Status.Findings) != 1 || open[0].Status.Menu[0].ID == drift.ItemAdopt {
			t.Errorf("%s: want %q, got %s", story.change, story.want, asJSON(open))
		}
		s.kubectl("", "delete", "widgets.more.example.com/w")
		s.kubectl(widget, "apply", "-f", "-")
		s.round()
		if open := s.open(); len(open) != 0 {
			t.Errorf("Git was delivered again: %s", asJSON(open))
		}
	}
	s.commit(map[string]string{"deploy/w.yaml": strings.Replace(widget, "replicas: 2", "replicaz: planted", 1)})
	s.round()
	if open := s.cases(); !slices.ContainsFunc(open, func(k v1alpha1.Case) bool {
		return k.Spec.Signal.Reason == "Unreadable" && strings.Contains(k.Spec.Signal.Text, "it does not fit what the API server publishes of its kind")
	}) {
		t.Errorf("got %s", asJSON(open))
	}
	if all := asJSON(s.cases()) + asJSON(s.log.records) + asJSON(s.ready()); strings.Contains(all, "planted") {
		t.Errorf("a value leaves: %s", all)
	}
}
