package drift_test

import (
	"strings"
	"testing"
)

// application is one that synced Deployments of these names to the stage's namespace. What spec and status say counts first.
func (s *delivery) application(name string, spec, status map[string]any, deployments ...string) {
	s.t.Helper()
	all := map[string]any{"project": "default", "destination": map[string]any{"server": "https://kubernetes.default.svc", "namespace": s.ns}}
	for field, value := range spec {
		all[field] = value
	}
	var resources []any
	for _, d := range deployments {
		resources = append(resources, map[string]any{"group": "apps", "version": "v1", "kind": "Deployment", "namespace": s.ns, "name": d, "status": "Synced"})
	}
	state := map[string]any{"resources": resources}
	for field, value := range status {
		state[field] = value
	}
	s.have("argoproj.io/v1alpha1", "Application", s.ns, name, map[string]any{"spec": all, "status": state})
}

func (s *delivery) from(path string, more map[string]any) map[string]any {
	from := map[string]any{"repoURL": s.url, "path": path, "targetRevision": "HEAD"}
	for field, value := range more {
		from[field] = value
	}
	return from
}

// TestWhatArgoDeliversIsComparedWithTheRevisionThatItSyncedLast has two revisions in the history, and a third at the head.
func TestWhatArgoDeliversIsComparedWithTheRevisionThatItSyncedLast(t *testing.T) {
	s := newDelivery(t)
	count := func(n string) map[string]string {
		return map[string]string{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web,
			"apps/shop/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: " + n + "}]\n"}
	}
	first, second, head := s.commit(count("3")), s.commit(count("4")), s.commit(count("7"))
	kustomize := map[string]any{"kustomize": map[string]any{"images": []any{"registry.example/shop/web=mirror.example/web:1.6"}}}
	was := s.from("apps/shop", kustomize)
	s.application("shop", map[string]any{"source": s.from("apps/other", kustomize)}, map[string]any{
		"sync":    map[string]any{"status": "OutOfSync", "revision": head},
		"history": []any{map[string]any{"id": 4, "revision": second, "source": was, "deployedAt": "2001-01-01T00:00:00Z"}, map[string]any{"id": 3, "revision": first, "source": was}}}, "web")
	live := strings.NewReplacer("replicas: 2", "replicas: 4", "registry.example/shop/web:1.4", "mirror.example/web:1.6").Replace(web)
	s.kubectl(live, "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	if names := s.rounds(); len(names) != 1 || names[0] != "application/"+s.ns+"/shop" || len(s.cases()) != 0 {
		t.Fatalf("compared: %q; %s; %s", names, asJSON(s.cases()), s.told())
	}
	s.kubectl("", "set", "image", "deployment/web", "app=mirror.example/web:1.7")
	s.rounds()
	if k := s.onlyCase(); !strings.HasPrefix(k.Status.Summary, "containers[name=app].image is web:1.7, Git says web:1.6") {
		t.Errorf("summary %q", k.Status.Summary)
	}
	if records := asJSON(s.log.records); !strings.Contains(records, "applied last by Application "+s.ns+"/shop; commit "+head[:12]+" is not delivered yet") {
		t.Errorf("nothing says what delivers it: %s", records)
	}
}

// TestWhatAnApplicationIgnoresIsNoDrift goes through the ways in which it may say so.
func TestWhatAnApplicationIgnoresIsNoDrift(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web, "apps/other/web.yaml": "twice: [\n"})
	s.kubectl(web, "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	for name, test := range map[string]struct {
		ignore map[string]any
		open   int
	}{
		"a field":                        {map[string]any{"group": "apps", "kind": "Deployment", "jsonPointers": []any{"/spec/replicas"}}, 0},
		"a field of an item":             {map[string]any{"group": "*", "kind": "*", "jsonPointers": []any{"/spec/replicas", "/spec/template/spec/containers/0/env/0"}}, 0},
		"another field":                  {map[string]any{"group": "apps", "kind": "Deployment", "jsonPointers": []any{"/spec/paused"}}, 1},
		"a field of another object":      {map[string]any{"group": "apps", "kind": "Deployment", "name": "api", "jsonPointers": []any{"/spec/replicas"}}, 1},
		"a field of another group":       {map[string]any{"kind": "Deployment", "jsonPointers": []any{"/spec/replicas"}}, 1},
		"everything is no pointer":       {map[string]any{"group": "apps", "kind": "Deployment", "jsonPointers": []any{"/", "/*", ""}}, 1},
		"what a manager sets":            {map[string]any{"group": "apps", "kind": "Deployment", "managedFieldsManagers": []any{"kubectl", "kubectl-set"}}, 0},
		"what is said in a language":     {map[string]any{"group": "apps", "kind": "Deployment", "jqPathExpressions": []any{".spec.replicas"}}, 0},
		"what is said of another object": {map[string]any{"group": "apps", "kind": "Deployment", "name": "api", "jqPathExpressions": []any{".spec.replicas"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			s.application("shop", map[string]any{"source": s.from("apps", nil), "ignoreDifferences": []any{test.ignore}},
				map[string]any{"sync": map[string]any{"status": "Synced", "revision": commit}}, "web")
			if strings.Contains(name, "item") {
				s.kubectl("", "set", "env", "deployment/web", "TOKEN=other")
			}
			s.rounds()
			s.kubectl("", "set", "env", "deployment/web", "TOKEN=planted-in-git")
			if cases := s.open(); len(cases) != test.open || strings.Contains(s.told(), "NotCompared") {
				t.Errorf("got %s", asJSON(cases))
			}
		})
	}
}

// TestEachSourceOfAnApplicationThatHasAFolderIsCompared and those that something else renders are told of.
func TestEachSourceOfAnApplicationThatHasAFolderIsCompared(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"one/web.yaml": web, "two/api.yaml": named("api")})
	chart := map[string]any{"repoURL": "https://charts.example", "chart": "web", "targetRevision": "1.0.0"}
	values := map[string]any{"repoURL": s.url, "ref": "values", "targetRevision": "main"}
	s.application("shop", map[string]any{"sources": []any{s.from("one", nil), chart, values, s.from("two", nil)}},
		map[string]any{"sync": map[string]any{"status": "Synced", "revisions": []any{commit, "1.0.0", commit, commit}}}, "web", "api")
	s.kubectl(web+"---\n"+named("api"), "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	s.kubectl("", "scale", "deployment/web", "deployment/api", "--replicas=5")
	names := strings.Join(s.rounds(), " ")
	base := "application/" + s.ns + "/shop"
	if want := base + "/1 " + base + "/2 " + base + "/4"; names != want {
		t.Errorf("compared %q, want %q", names, want)
	}
	if cases := s.cases(); len(cases) != 2 {
		t.Errorf("%d cases: %s", len(cases), asJSON(cases))
	}
	if told := s.told(); !strings.Contains(told, "it is rendered by Helm") || strings.Count(told, "NotCompared") != 1 {
		t.Errorf("told %q", told)
	}
}

func TestWhatIsNotKnownOfAnApplicationIsTold(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.kubectl(web, "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	for name, test := range map[string]struct {
		spec, source, status map[string]any
		want                 string
	}{
		"Helm":                       {nil, map[string]any{"helm": map[string]any{}}, nil, "it is rendered by Helm"},
		"a plugin":                   {nil, map[string]any{"plugin": map[string]any{"name": "x"}}, nil, "it is rendered by a plugin"},
		"Jsonnet":                    {nil, map[string]any{"directory": map[string]any{"jsonnet": map[string]any{}}}, nil, `it has the field "jsonnet"`},
		"labels for everything":      {nil, map[string]any{"kustomize": map[string]any{"commonLabels": map[string]any{"a": "b"}}}, nil, `it has the field "commonLabels"`},
		"another cluster":            {map[string]any{"destination": map[string]any{"server": "https://elsewhere.example"}}, nil, nil, "it delivers to another cluster"},
		"a version":                  {nil, nil, map[string]any{"sync": map[string]any{"status": "Synced", "revision": "v1"}}, "is no commit of Git by SHA-1"},
		"no sync":                    {nil, nil, map[string]any{"sync": map[string]any{"status": "OutOfSync"}}, "what it synced last is not known"},
		"a source without a history": {nil, nil, map[string]any{"sync": map[string]any{}, "history": "x"}, "its status cannot be read"},
		"SSH":                        {nil, map[string]any{"repoURL": "git@example.com:x"}, nil, "is not read over https or http"},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			s.rounds() // what was there before is not there any more
			spec := merge(test.spec)
			spec["source"] = s.from("apps", test.source)
			status := map[string]any{"sync": map[string]any{"status": "Synced", "revision": commit}}
			for field, value := range test.status {
				status[field] = value
			}
			s.application("shop", spec, status, "web")
			s.rounds()
			if told := s.told(); !strings.Contains(told, test.want) || len(s.cases()) != 0 {
				t.Errorf("told %q, want %q; cases %s", told, test.want, asJSON(s.cases()))
			}
		})
	}
}
