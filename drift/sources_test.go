package drift_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// overlayOf is a folder with a base, an overlay and a variable. Rendered, and with TIER=gold, it is web with three replicas.
func overlayOf() map[string]string {
	return map[string]string{
		"base/kustomization.yaml":      "resources: [web.yaml]\n",
		"base/web.yaml":                strings.Replace(web, "  name: web\n", "  name: web\n  labels: {tier: \"${TIER}\"}\n", 1),
		"apps/shop/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 3}]\n"}
}

var overlay = strings.Replace(strings.Replace(web, "  name: web\n", "  name: web\n  labels: {tier: gold}\n", 1), "replicas: 2", "replicas: 3", 1)

// TestWhatFluxDeliversIsComparedWithTheCommitThatItAppliedLast has Git's head go on to another commit that is not delivered yet, and
// a person change what runs.
func TestWhatFluxDeliversIsComparedWithTheCommitThatItAppliedLast(t *testing.T) {
	s := newDelivery(t)
	first := s.commit(overlayOf())
	head := s.commit(map[string]string{"apps/shop/kustomization.yaml": "resources: [../../base]\nreplicas: [{name: web, count: 7}]\n"})
	s.gitRepository(map[string]any{}, head)
	s.kustomization("apps", map[string]any{"path": "./apps/shop", "targetNamespace": s.ns, "postBuild": map[string]any{"substitute": map[string]any{"TIER": "gold"}}}, first, "web")
	s.applied(overlay)
	if names := s.rounds(); len(names) != 1 || names[0] != "kustomization/"+s.ns+"/apps" {
		t.Fatalf("compared: %q", names)
	}
	if cases := s.cases(); len(cases) != 0 {
		t.Fatalf("what is not delivered yet is no drift: %s", asJSON(cases))
	}
	fetches := s.fetches.Load()

	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.rounds()
	k := s.onlyCase()
	text := asJSON(k)
	if !strings.HasPrefix(k.Status.Summary, "containers[name=app].image is web:1.5, Git says web:1.4") || k.Status.Cause != "changed-by-person" {
		t.Errorf("summary %q, cause %q", k.Status.Summary, k.Status.Cause)
	}
	for _, want := range []string{first, "applied last by Kustomization " + s.ns + "/apps", "commit " + head[:12] + " is not delivered yet"} {
		if !strings.Contains(text, want) && !strings.Contains(asJSON(s.log.records), want) {
			t.Errorf("nothing says %q: %s\n%s", want, text, asJSON(s.log.records))
		}
	}
	s.rounds()
	if again := s.fetches.Load(); again != fetches+1 {
		t.Errorf("beside the past of the image, which is read once, a commit that is known is fetched again: %d, then %d", fetches, again)
	}
	if reports := s.look(); len(reports) != 1 || len(reports[0].Sights) != 1 || reports[0].Sights[0].Case == nil || reports[0].Commit != first ||
		reports[0].Sights[0].Place != "rendered by kustomize from apps/shop/kustomization.yaml" {
		t.Errorf("who asks sees %s", asJSON(reports))
	}
	s.applied(overlay)
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionFalse {
		t.Errorf("it is as it was delivered, and the Case says %+v", c)
	}
}

func TestASuspendedKustomizationIsComparedAndSaysSo(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	s.kustomization("apps", map[string]any{"path": "apps", "suspend": true}, commit, "web")
	s.applied(web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.rounds()
	k := s.onlyCase()
	if want := "replicas is 5, Git says 2 (apps/web.yaml:7)"; !strings.HasPrefix(k.Status.Summary, want) {
		t.Errorf("summary %q, want %q", k.Status.Summary, want)
	}
	if records := asJSON(s.log.records); !strings.Contains(records, "Kustomization "+s.ns+"/apps, which is suspended") {
		t.Errorf("nothing says that it is suspended: %s", records)
	}
	if len(k.Status.Menu) != 3 || k.Status.Menu[0].ID != "adopt" {
		t.Errorf("Git's head is what was delivered, so it can be edited: %s", asJSON(k.Status.Menu))
	}
}

// TestWhatIsNotKnownOfADeliveryIsToldAndIsNoDrift goes through what cannot be compared, each beside a Deployment that a person
// changed.
func TestWhatIsNotKnownOfADeliveryIsToldAndIsNoDrift(t *testing.T) {
	type specs map[string]any
	s := newDelivery(t)
	commit := s.commit(map[string]string{"web.yaml": web})
	s.applied(web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	for name, test := range map[string]struct {
		repository, kustomization specs
		want                      string
	}{
		"a path out of the repository":     {nil, specs{"path": "../../etc"}, "leads out of the repository"},
		"a folder that is not there":       {nil, specs{"path": "gone"}, `there is no folder \"gone\" in commit`},
		"a file:// address":                {specs{"url": "file:///etc"}, nil, "it is read by file, and only https, http and ssh are"},
		"an address with a password":       {specs{"url": "https://user:planted@example.com/x"}, nil, "its URL must not carry a user, a password"},
		"an address of cloud credentials":  {specs{"url": "http://169.254.169.254/latest"}, nil, "169.254.169.254 is not allowed"},
		"a hostile address":                {specs{"url": "evil\u202e\x1b[2J://x"}, nil, "and only https, http and ssh are"},
		"credentials":                      {specs{"secretRef": map[string]any{"name": "login"}}, nil, "/login, which may not be read here: to allow it, give ServiceAccount moorgate-judge of moorgate-system a Role in namespace "},
		"a key for SSH":                    {specs{"url": "ssh://git@example.com/x", "secretRef": nil}, nil, "by SSH it is read with a key alone: a Secret with identity and known_hosts"},
		"a proxy":                          {specs{"proxySecretRef": specs{"name": "proxy"}}, nil, "it is read through a proxy"},
		"a cloud's identity":               {specs{"provider": "azure"}, nil, "it is read as an identity of azure"},
		"files of others":                  {specs{"include": []any{specs{"repository": specs{"name": "x"}}}}, nil, "it takes files of other repositories in"},
		"another cluster":                  {nil, specs{"kubeConfig": specs{"secretRef": specs{"name": "x"}}}, "it delivers to another cluster"},
		"another kind of source":           {nil, specs{"sourceRef": specs{"kind": "OCIRepository", "name": "code"}}, "its source is of the kind OCIRepository"},
		"a source that is not there":       {nil, specs{"sourceRef": specs{"kind": "GitRepository", "name": "gone"}}, "there is no GitRepository"},
		"a field that is not known":        {nil, specs{"patchesFromMars": []any{}}, `it has the field \"patchesFromMars\", which this version does not know`},
		"a field of another form":          {nil, specs{"images": "web"}, "its spec is not of the form that this version knows"},
		"variables of no ConfigMap":        {nil, specs{"postBuild": specs{"substituteFrom": []any{specs{"kind": "ConfigMap", "name": "gone"}}}}, "ConfigMap gone, which sets variables of it, cannot be read"},
		"variables of another kind":        {nil, specs{"postBuild": specs{"substituteFrom": []any{specs{"kind": "Lease", "name": "x"}}}}, "its variables come from the kind Lease"},
		"a component that lies far beyond": {nil, specs{"components": []any{"../../../../x"}}, "leads out of the repository"},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			s.rounds() // what was there before is not there any more
			s.gitRepository(merge(test.repository), commit)
			s.kustomization("apps", merge(test.kustomization), commit, "web")
			if names := s.rounds(); len(names) != 1 {
				t.Fatalf("compared: %q", names)
			}
			told := s.told()
			if !strings.Contains(told, "NotComparedWithGit what it delivers to namespace "+s.ns+" is not compared with Git: ") ||
				!strings.Contains(strings.ReplaceAll(told, `"`, `\"`), test.want) {
				t.Errorf("told %q, want %q", told, test.want)
			}
			if strings.ContainsAny(told, "\x1b\u202e") || strings.Contains(told, "planted") {
				t.Errorf("told %q", told)
			}
			if cases := s.cases(); len(cases) != 0 {
				t.Errorf("what is not known is no drift: %s", asJSON(cases))
			}
			if s.rounds(); s.told() != "" {
				t.Error("it is told twice")
			}
			counts := s.detector.DeliveryCounts()
			if counts["compared"] != 0 || counts["unsupported"]+counts["unknown"] != 1 {
				t.Errorf("counted: %v", counts)
			}
		})
	}
}

func merge(specs map[string]any) map[string]any {
	all := map[string]any{}
	for field, value := range specs {
		all[field] = value
	}
	return all
}

// TestAVariableOfASecretLeavesItsObjectUnknown has two Deployments, of which one takes a variable from a Secret that nobody here may
// read.
func TestAVariableOfASecretLeavesItsObjectUnknown(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": strings.Replace(web, "planted-in-git", "${TOKEN}", 1), "apps/api.yaml": named("api")})
	s.gitRepository(map[string]any{}, commit)
	s.kubectl("", "create", "secret", "generic", "vars", "--from-literal=TOKEN=planted-in-secret")
	s.kustomization("apps", map[string]any{"path": "apps", "postBuild": map[string]any{"substituteFrom": []any{map[string]any{"kind": "Secret", "name": "vars"}}}}, commit, "web", "api")
	s.applied(strings.Replace(web, "planted-in-git", "planted-in-secret", 1))
	s.applied(named("api"))
	s.kubectl("", "scale", "deployment/web", "deployment/api", "--replicas=5")
	s.rounds()
	seen := map[string]string{}
	for _, k := range s.cases() {
		seen[k.Spec.Subject.Name] = k.Spec.Signal.Reason + ": " + k.Status.Summary
	}
	if len(seen) != 2 || !strings.HasPrefix(seen["api"], "FieldDrift: replicas is 5") || !strings.HasPrefix(seen["web"], "Unreadable: ") ||
		!strings.Contains(asJSON(s.cases()), `the variable TOKEN may come from Secret \"vars\", which is not read`) {
		t.Errorf("got %q", seen)
	}
	if all := asJSON(s.cases()) + asJSON(s.log.records) + s.told(); strings.Contains(all, "planted") {
		t.Errorf("a secret is shown: %s", all)
	}
}

// TestAKustomizationIsRenderedAsFluxRendersIt has all that a Kustomization may add to its folder.
func TestAKustomizationIsRenderedAsFluxRendersIt(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/shop/web.yaml": named("web-${ENV}"), "components/big/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" +
		"patches: [{target: {kind: Deployment}, patch: '- {op: replace, path: /spec/replicas, value: 6}'}]\n"})
	s.gitRepository(map[string]any{}, commit)
	s.kubectl("", "create", "configmap", "vars", "--from-literal=ENV=live")
	s.kustomization("apps", map[string]any{"path": "apps/shop", "targetNamespace": s.ns, "namePrefix": "eu-", "components": []any{"../../components/big"},
		"images":         []any{map[string]any{"name": "registry.example/shop/web", "newTag": "1.6"}},
		"patches":        []any{map[string]any{"patch": "- {op: add, path: /spec/paused, value: true}", "target": map[string]any{"kind": "Deployment"}}},
		"commonMetadata": map[string]any{"labels": map[string]any{"team": "shop"}},
		"postBuild":      map[string]any{"substituteFrom": []any{map[string]any{"kind": "ConfigMap", "name": "vars"}, map[string]any{"kind": "ConfigMap", "name": "gone", "optional": true}}}},
		commit, "eu-web-live")
	live := strings.NewReplacer("replicas: 2", "replicas: 6\n  paused: true", "web:1.4", "web:1.6", "  name: eu-web-live\n", "  name: eu-web-live\n  labels: {team: shop}\n").Replace(named("eu-web-live"))
	s.applied(live)
	s.rounds()
	if told := s.told(); len(s.cases()) != 0 || told != "" {
		t.Fatalf("it is as it was delivered: %s, %s", told, asJSON(s.cases()))
	}
	s.kubectl("", "label", "deployment/eu-web-live", "team=other", "--overwrite")
	s.kubectl("", "scale", "deployment/eu-web-live", "--replicas=9")
	s.rounds()
	if text := asJSON(s.onlyCase()); !strings.Contains(text, "replicas is 9, Git says 6") || !strings.Contains(text, "metadata.labels.team is not what Git says") {
		t.Errorf("got %s", text)
	}
	s.kubectl("", "patch", "configmap", "vars", "-p", `{"data":{"ENV":"other"}}`)
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status == metav1.ConditionTrue {
		t.Errorf("with another variable nothing of that name is delivered, and the Case says %+v", c)
	}
}
