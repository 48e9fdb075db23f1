package drift_test

import (
	"maps"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// overlaid is a repository with a base beyond the folder of the GitSource, and an overlay in it. more replaces files; one that
// is empty is left out.
func overlaid(more map[string]string) map[string]string {
	files := map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web,
		"deploy/kustomization.yaml": "resources:\n- ../base\n"}
	maps.Copy(files, more)
	return files
}

const cpuPatch = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: app
        resources:
          requests:
            cpu: 200m # it is slow
`

func image(tag string) func(*stage) {
	return func(s *stage) { s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:"+tag) }
}

func scale(s *stage) { s.kubectl("", "scale", "deployment/web", "--replicas=5") }

func cpu(s *stage) { s.kubectl("", "set", "resources", "deployment/web", "--requests=cpu=300m") }

// rendered is a stage on which the overlay runs, and a first round found nothing.
func rendered(t *testing.T, files map[string]string, live string) *stage {
	t.Helper()
	s := newStage(t)
	s.commit(files)
	s.source(nil)
	s.kubectl(live, "apply", "-f", "-")
	s.round()
	if cases := s.cases(); len(cases) != 0 || !strings.Contains(s.ready().Message, ": 1") {
		t.Fatalf("no drift, but %d cases: %s; the GitSource says %+v", len(cases), asJSON(cases), s.ready())
	}
	return s
}

// TestARenderedFieldIsEditedWhereItIsMade has an edit in the overlay's own place, in each of the ways that an overlay has to
// say a thing.
func TestARenderedFieldIsEditedWhereItIsMade(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  map[string]string
		live   string
		change func(*stage)
		want   string
	}{
		{"an image of the overlay", overlaid(map[string]string{"deploy/kustomization.yaml": "resources:\n- ../base\nimages:\n- name: registry.example/shop/web\n  newTag: \"1.5\" # the one of today\n"}),
			strings.Replace(web, "web:1.4", "web:1.5", 1), image("1.6"), `deploy/kustomization.yaml:5 - newTag: "1.5" + newTag: "1.6"`},
		{"replicas of the overlay", overlaid(map[string]string{"deploy/kustomization.yaml": "resources:\n- ../base\nreplicas:\n- name: web\n  count: 3\n"}),
			strings.Replace(web, "replicas: 2", "replicas: 3", 1), scale, "deploy/kustomization.yaml:5 - count: 3 + count: 5"},
		{"a patch of the overlay", overlaid(map[string]string{"deploy/kustomization.yaml": "resources:\n- ../base\npatches:\n- path: cpu.yaml\n", "deploy/cpu.yaml": cpuPatch}),
			strings.Replace(web, "cpu: 1000m", "cpu: 200m", 1), cpu, `deploy/cpu.yaml:11 - cpu: 200m + cpu: 300m`},
		{"a base that nobody else reads", overlaid(nil), web, scale, "base/web.yaml:7 - replicas: 2 + replicas: 5"},
		{"a base that another overlay pins", overlaid(map[string]string{"staging/kustomization.yaml": "resources:\n- ../base\nreplicas:\n- name: web\n  count: 1\n"}), web, scale,
			"base/web.yaml:7 - replicas: 2 + replicas: 5"},
		{"a base that another overlay reads", overlaid(map[string]string{"staging/kustomization.yaml": "resources: [../base]\n"}), web, scale,
			"deploy/kustomization.yaml:3 + replicas: - name: web   count: 5"},
		{"the image of a base that another overlay reads", overlaid(map[string]string{"staging/kustomization.yaml": "resources: [../base]\n"}), web, image("1.6"),
			`deploy/kustomization.yaml:3 + images: - name: registry.example/shop/web   newTag: "1.6"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := rendered(t, test.files, test.live)
			commit := s.head()
			test.change(s)
			s.round()
			k := s.onlyCase()
			if len(k.Status.Menu) != 3 || k.Status.Menu[0].ID != "adopt" || k.Status.Menu[0].Text != test.want {
				t.Fatalf("got %s", asJSON(k.Status))
			}
			if place, _, _ := strings.Cut(test.want, " "); !strings.Contains(k.Status.Summary, "("+place+")") {
				t.Errorf("the summary does not name the place: %s", k.Status.Summary)
			}
			s.round()
			if again := s.onlyCase(); again.ResourceVersion != k.ResourceVersion || s.head() != commit {
				t.Errorf("the same drift again: %s", asJSON(again.Status))
			}
		})
	}
}

func TestTwoRenderedFieldsAreTwoEditsInTwoFiles(t *testing.T) {
	s := rendered(t, overlaid(map[string]string{"deploy/cpu.yaml": cpuPatch,
		"deploy/kustomization.yaml": "resources:\n- ../base\npatches:\n- path: cpu.yaml\nimages:\n- name: registry.example/shop/web\n  newTag: \"1.5\"\n"}),
		strings.NewReplacer("web:1.4", "web:1.5", "cpu: 1000m", "cpu: 200m").Replace(web))
	image("1.6")(s)
	cpu(s)
	s.round()
	k := s.onlyCase()
	if want := `deploy/kustomization.yaml:7 - newTag: "1.5" + newTag: "1.6"; deploy/cpu.yaml:11 - cpu: 200m + cpu: 300m`; len(k.Status.Menu[0].Edits) != 2 || k.Status.Menu[0].Text != want {
		t.Errorf("got %s", asJSON(k.Status.Menu))
	}
	if want := (v1alpha1.Edit{Path: "spec.template.spec.containers[name=app].image", Old: `"registry.example/shop/web:1.5"`, New: `"registry.example/shop/web:1.6"`}); k.Status.Menu[0].Edits[0] != want {
		t.Errorf("the edit is told by the field: %+v", k.Status.Menu[0].Edits[0])
	}
}

// TestWhatIsNotCertainToMoveOneFieldIsNotOffered has layouts in which an edit would move something else, or could not be told
// to: each is refused by name.
func TestWhatIsNotCertainToMoveOneFieldIsNotOffered(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  map[string]string
		change func(*stage)
		why    string
	}{
		{"a base that another overlay reads, and no place in this one", overlaid(map[string]string{"staging/kustomization.yaml": "resources: [../base]\n"}), cpu, "base/web.yaml:22: it moves the root staging too"},
		{"an overlay that another root includes", overlaid(map[string]string{"all/kustomization.yaml": "resources: [../deploy]\n"}), scale, "it moves the root all too"},
		{"a plain folder that an overlay reads", map[string]string{"deploy/web.yaml": web, "staging/kustomization.yaml": "resources: [../deploy/web.yaml]\n"}, scale, "it moves the root staging too"},
		{"a base that what cannot be rendered reads", overlaid(map[string]string{"staging/kustomization.yaml": "resources: [../base, gone.yaml]\n"}), scale, "the root staging, which may read it too, cannot be rendered"},
		{"an anchor", overlaid(map[string]string{"base/web.yaml": strings.NewReplacer("replicas: 2", "replicas: &two 2", "  selector:", "  minReadySeconds: *two\n  selector:").Replace(web)}), scale, "base/web.yaml:7: "},
		{"a file that a tool writes", overlaid(map[string]string{"base/web.yaml": "# Code generated by a tool. DO NOT EDIT.\n" + web}), scale, "a tool writes it"},
		{"a template", overlaid(map[string]string{"base/web.yaml": web + "# {{ .Values }}\n"}), scale, "template"},
		{"a patch in a block of text", overlaid(map[string]string{"deploy/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /spec/replicas, value: 2}\n"}), scale, "block"},
		{"a tag of image automation", overlaid(map[string]string{"deploy/kustomization.yaml": "resources: [../base]\nimages:\n- name: registry.example/shop/web\n  newTag: \"1.4\" # {\"$imagepolicy\": \"flux-system:web:tag\"}\n"}), image("1.6"), "image automation"},
		{"an encrypted file", overlaid(map[string]string{"base/web.yaml": web + "sops:\n  mac: ENC[planted]\n"}), scale, "encrypted with SOPS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t)
			s.commit(test.files)
			s.source(nil)
			s.kubectl(strings.Replace(web, "replicas: 2", "replicas: 2\n  minReadySeconds: 2", 1), "apply", "-f", "-")
			if !strings.Contains(test.name, "anchor") {
				s.kubectl(web, "apply", "-f", "-")
			}
			s.round()
			test.change(s)
			s.round()
			for _, k := range s.cases() {
				text := asJSON(k)
				if len(k.Status.Menu) != 2 || k.Status.Menu[0].ID != "escalate" || k.Status.Menu[1].ID != "nothing" || strings.Contains(text, "planted") {
					t.Errorf("the menu is %s", asJSON(k.Status.Menu))
				}
				if !strings.Contains(text, test.why) {
					t.Errorf("it does not say %q: %s", test.why, asJSON(k.Status))
				}
			}
			if len(s.cases()) == 0 {
				t.Errorf("there is no case; the GitSource says %+v", s.ready())
			}
		})
	}
}

// TestWhatTheAPIServerDoesNotConfirmIsNotOffered has an admission policy that refuses what the edit would have Git say.
func TestWhatTheAPIServerDoesNotConfirmIsNotOffered(t *testing.T) {
	s := deployed(t, web)
	scale(s)
	s.kubectl(`{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "no-five-`+s.ns+`"}, "spec": {"failurePolicy": "Fail",
		"matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}],
			"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "`+s.ns+`"}}},
		"validations": [{"expression": "object.spec.replicas != 5 || !object.metadata.managedFields.exists(f, f.manager == 'moorgate-drift-dryrun')"}]}}
		{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "no-five-`+s.ns+`"},
		"spec": {"policyName": "no-five-`+s.ns+`", "validationActions": ["Deny"]}}`, "apply", "-f", "-")
	s.eventually("the edit is not confirmed", func() bool {
		s.ok(client.IgnoreNotFound(s.admin.DeleteAllOf(t.Context(), &v1alpha1.Case{}, client.InNamespace(s.ns))))
		s.detector = s.detectorAs(s.judge)
		s.round()
		k := s.onlyCase()
		return len(k.Status.Menu) == 2 && strings.Contains(asJSON(k), "the API server does not confirm it")
	})
}

// TestAVariableThatRefersToItsValueIsAdopted has one added by hand that names a Secret, and one with a value, which is never
// shown and never adopted.
func TestAVariableThatRefersToItsValueIsAdopted(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "create", "secret", "generic", "db", "--from-literal=password=planted-in-secret")
	s.kubectl("", "set", "env", "deployment/web", "--from=secret/db", "--prefix=DB_")
	s.round()
	k := s.onlyCase()
	want := `deploy/web.yaml:2 + - name: DB_PASSWORD valueFrom: secretKeyRef: name: db key: password`
	if k.Status.Menu[0].ID != "adopt" || strings.Join(strings.Fields(strings.ReplaceAll(k.Status.Menu[0].Text, `"`, "")), " ") != want {
		t.Fatalf("got %s", asJSON(k.Status))
	}
	s.kubectl("", "set", "env", "deployment/web", "OTHER=planted-value")
	s.round()
	for _, k := range s.cases() {
		if text := asJSON(k); strings.Contains(text, "planted") || strings.Contains(text, "OTHER") && k.Status.Menu[0].ID == "adopt" {
			t.Errorf("got %s", text)
		}
	}
	if all := asJSON(s.log.records) + asJSON(s.ready()); strings.Contains(all, "planted") {
		t.Errorf("a value leaves: %s", all)
	}
}
