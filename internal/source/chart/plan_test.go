package chart

import (
	"strings"
	"testing"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

func field(names ...string) source.Path {
	var p source.Path
	for _, n := range names {
		p = append(p, source.Step{Field: n})
	}
	return p
}

func inContainer(names ...string) source.Path {
	p := append(field("spec", "template", "spec", "containers"), source.Step{Keys: []source.Key{{Name: "name", Value: "web"}}})
	return append(p, field(names...)...)
}

// planned asks for a change as whoever compares does.
func planned(r *Root, files map[string][]byte, others map[string]source.Renderer, a source.Ask) (source.Change, error) {
	roots := map[string]source.Renderer{"release": r.Render, "folder": r.Around}
	for name, other := range others {
		roots[name] = other
	}
	return r.Plan(files, roots, "release", a, nil)
}

var level = source.Path{{Field: "spec"}, {Field: "template"}, {Field: "spec"}, {Field: "containers"}, {Keys: []source.Key{{Name: "name", Value: "web"}}},
	{Field: "env"}, {Keys: []source.Key{{Name: "name", Value: "LEVEL"}}}, {Field: "value"}}

// TestAFieldIsEditedInTheValueThatMakesIt has values that stand in Git, and ones that the chart has until somebody states them.
func TestAFieldIsEditedInTheValueThatMakesIt(t *testing.T) {
	for name, test := range map[string]struct {
		ask      source.Ask
		old, now string // lines of the HelmRelease; an empty old is behind which the new ones stand
		line     int
	}{
		"the tag of an image": {source.Ask{Field: inContainer("image"), Op: source.Set, Value: "registry.example/shop/web:1.5"},
			`      tag: "1.4" # today`, `      tag: "1.5" # today`, 12},
		"a limit": {source.Ask{Field: inContainer("resources", "limits", "memory"), Op: source.Set, Value: "96Mi"},
			"        memory: 64Mi", "        memory: 96Mi", 15},
		"a value of the chart": {source.Ask{Field: field("spec", "replicas"), Op: source.Set, Value: int64(5)},
			"    hosts: [a.example]\n", "    hosts: [a.example]\n    replicaCount: 5\n", 17},
		"a part of a map that is there": {source.Ask{Field: inContainer("image"), Op: source.Set, Value: "registry.example/other:1.4"},
			"      tag: \"1.4\" # today\n", "      tag: \"1.4\" # today\n      repository: \"registry.example/other\"\n", 13},
		"a limit that nobody had": {source.Ask{Field: inContainer("resources", "limits", "cpu"), Op: source.Add, Value: "1"},
			"        memory: 64Mi\n", "        memory: 64Mi\n        cpu: \"1\"\n", 16},
		"a text that is a template of its own": {source.Ask{Field: level, Op: source.Set, Value: "debug"},
			"    hosts: [a.example]\n", "    hosts: [a.example]\n    level: debug\n", 17},
	} {
		t.Run(name, func(t *testing.T) {
			files := repository(helmRelease)
			test.ask.Object = web
			c, err := planned(opened(t, stored(t, nil), files), files, nil, test.ask)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(helmRelease, test.old, test.now, 1); c.File != "apps/web.yaml" || string(c.Edit.Bytes) != want || c.Edit.Line != test.line {
				t.Errorf("%s:%d\n%s", c.File, c.Edit.Line, c.Edit.Bytes)
			}
		})
	}
}

// TestAValueThatIsNotCertainIsNotEdited has one way of each in which a value could move something else.
func TestAValueThatIsNotCertainIsNotEdited(t *testing.T) {
	replicas := source.Ask{Object: web, Field: field("spec", "replicas"), Op: source.Set, Value: int64(5)}
	image := source.Ask{Object: web, Field: inContainer("image"), Op: source.Set, Value: "registry.example/shop/web:1.5"}
	settings := source.Name{Kind: "ConfigMap", Namespace: "shop", Name: "shop-web"}
	for name, test := range map[string]struct {
		release func(*Release)
		git     string // instead of the HelmRelease
		more    map[string]string
		ask     source.Ask
		rule    string
		text    string
	}{
		"a value that makes two fields": {nil, "", nil, source.Ask{Object: settings, Field: field("data", "greeting"), Op: source.Set, Value: "hi"}, source.Shared, "other objects would move"},
		"a number that a template works out": {func(r *Release) {
			again(r, "templates/deployment.yaml", "{{ .Values.replicaCount }}", "{{ add .Values.replicaCount 0 | max 1 | mul 1 }}")
		}, "", nil, replicas, "", ""},
		"a choice that only looks like the number": {func(r *Release) {
			again(r, "templates/deployment.yaml", "{{ .Values.replicaCount }}", "{{ if eq (int .Values.replicaCount) 5 }}5{{ else }}1{{ end }}")
		}, "", nil, replicas, source.NotFound, "no value"},
		"two values of which each would do": {func(r *Release) {
			again(r, "templates/deployment.yaml", "{{ .Values.replicaCount }}", "{{ max (int .Values.replicaCount) (int .Values.least) }}")
			r.Chart.Values["least"] = float64(1)
		}, "", nil, replicas, source.Composite, "spec.values.least and spec.values.replicaCount would each make"},
		"a value that comes from elsewhere": {func(r *Release) { r.Config["replicaCount"] = float64(1) }, "", nil, replicas, source.Templated, "the value replicaCount makes it, and that comes from elsewhere"},
		"a value that a subchart reads too": {func(r *Release) {
			again(r, "templates/deployment.yaml", "{{ .Values.replicaCount }}", "{{ .Values.global.count }}")
			r.Chart.Values["global"] = map[string]any{"count": float64(1)}
			r.Chart.Metadata.Dependencies = []Dependency{{Name: "part"}}
		}, "", nil, replicas, source.Shared, "subcharts may read that too"},
		"what stands in the template":         {nil, "", nil, source.Ask{Object: web, Field: field("spec", "selector", "matchLabels", "app"), Op: source.Set, Value: "x"}, source.NotFound, "no value"},
		"a field that is gone":                {nil, "", nil, source.Ask{Object: web, Field: inContainer("resources", "limits", "memory"), Op: source.Drop}, source.NotFound, "which value leaves it out is not known"},
		"a tag that image automation keeps":   {nil, strings.Replace(helmRelease, "# today", `# {"$imagepolicy": "flux-system:web:tag"}`, 1), nil, image, source.Automated, "image automation"},
		"a value with an anchor":              {nil, strings.Replace(helmRelease, `tag: "1.4"`, `tag: &tag "1.4"`, 1), nil, image, source.Alias, "shared"},
		"a value that another object has too": {nil, strings.Replace(helmRelease, `tag: "1.4"`, `tag: &tag "1.4"`, 1) + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}\n", nil, image, source.Alias, ""},
		"a folder that others include":        {nil, "", map[string]string{"staging/kustomization.yaml": "resources: [../apps/web.yaml]\n"}, image, source.Shared, "the root staging"},
	} {
		t.Run(name, func(t *testing.T) {
			git := helmRelease
			if test.git != "" {
				git = test.git
			}
			r := stored(t, nil)
			if test.release != nil {
				test.release(&r)
			}
			files := repository(git)
			others := map[string]source.Renderer{}
			for file, content := range test.more {
				files[file] = []byte(content)
				folder := strings.TrimSuffix(file, "/kustomization.yaml")
				others[folder] = render.Kustomize(render.Own(folder))
			}
			c, err := planned(opened(t, r, files), files, others, test.ask)
			if rule(err) != test.rule || err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %q, %v, want %q\n%s", rule(err), err, test.rule, c.Edit.Bytes)
			}
		})
	}
}

// again changes a template of a release.
func again(r *Release, name, old, now string) {
	for i, f := range r.Chart.Templates {
		if f.Name == name {
			r.Chart.Templates[i].Data = []byte(strings.Replace(string(f.Data), old, now, 1))
		}
	}
}
