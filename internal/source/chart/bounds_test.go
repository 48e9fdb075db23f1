package chart

import (
	"strings"
	"testing"
)

// TestTemplatesThatGoOnForEverAreStopped has ways to take all memory or all time, each of which ends by counting.
func TestTemplatesThatGoOnForEverAreStopped(t *testing.T) {
	double := func(call string) string {
		var b strings.Builder
		for i := range 60 {
			b.WriteString(`{{ define "d` + strings.Repeat("x", i) + `" }}` + strings.Repeat(strings.Replace(call, "NAME", "d"+strings.Repeat("x", i+1), 1), 2) + `{{ end }}`)
		}
		return b.String() + `{{ define "d` + strings.Repeat("x", 60) + `" }}{{ end }}` + strings.Replace(call, "NAME", "d", 1)
	}
	growing := func(how string) string { return `{{ $x := "ab" }}` + strings.Repeat(`{{ $x = `+how+` }}`, 80) }
	for name, text := range map[string]string{
		"templates that call two, that call two":   double(`{{ template "NAME" . }}`),
		"texts that include two, that include two": double(`{{ include "NAME" . }}`),
		"a template that calls itself":             `{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}`,
		"loops in loops of nothing":                `{{ $l := until 10000 }}{{ range $l }}{{ range $l }}{{ range $l }}{{ end }}{{ end }}{{ end }}`,
		"a loop over a number":                     `{{ range 2000000000 }}{{ end }}`,
		"loops in a text":                          `{{ tpl "{{ range 2000000000 }}{{ end }}" . }}`,
		"a list without end":                       `{{ range until 2000000000 }}{{ end }}`,
		"steps without end":                        `{{ range untilStep 0 2000000000 1 }}{{ end }}`,
		"a sequence without end":                   `{{ seq 2000000000 }}`,
		"a text that is repeated":                  `{{ repeat 2000000000 "x" }}`,
		"a text that is set in":                    `{{ "x" | indent 2000000000 }}`,
		"a text that doubles":                      growing(`print $x $x`),
		"a text that is replaced by more":          growing(`replace "a" "aaaaaaaa" $x`),
		"a list that doubles":                      growing(`list $x $x`),
		"a map that doubles":                       growing(`dict "a" $x "b" $x`),
		"a map that holds itself":                  `{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ toYaml $x }}`,
		"comparisons of all with all":              `{{ $l := until 10000 }}{{ $l := concat $l (list) }}{{ range until 10000 }}{{ uniq $l }}{{ end }}`,
		"conditions in conditions":                 strings.Repeat("{{if 1}}", 3_000_000),
		"parentheses in parentheses":               "{{" + strings.Repeat("(", 3_000_000) + "}}",
		"parentheses in a text":                    `{{ tpl (print "{{" (repeat 500000 "(")) . }}`,
		"lists in lists in a text":                 `{{ fromYamlArray (repeat 500000 "[") }}{{ fromJsonArray (repeat 500000 "[") | toYaml }}{{ fail "" }}`,
	} {
		t.Run(name, func(t *testing.T) {
			e, err := newEngine(Chart{Templates: []File{{Name: "templates/x.yaml", Data: []byte(text)}}})
			if err == nil {
				_, err = e.render(map[string]any{}, nil, nil)
			}
			if err == nil {
				t.Error("it came to an end")
			}
		})
	}
}

// TestWhatHangsOnMoreThanTheValuesIsRefusedByName has one function of each kind.
func TestWhatHangsOnMoreThanTheValuesIsRefusedByName(t *testing.T) {
	for call, want := range map[string]string{
		`lookup "v1" "Secret" "shop" "x"`:  "lookup, so that what they make hangs on the cluster",
		`getHostByName "x.example"`:        "getHostByName, so that what they make hangs on the network",
		`env "HOME"`:                       "env, so that what they make hangs on the environment",
		`now | date "2006"`:                "now, so that what they make hangs on the clock",
		`date "2006" "planted"`:            "date, so that what they make hangs on the clock",
		`randAlphaNum 5`:                   "randAlphaNum, so that what they make hangs on chance",
		`genCA "x" 5`:                      "genCA, so that what they make hangs on chance",
		`toToml .Values`:                   "toToml, which this version does not have",
		`fail "planted"`:                   "its templates refuse the values",
		`required "planted" nil`:           "its templates",
		`include "planted" .`:              "cannot be run",
		`.Capabilities.KubeVersion.Minor`:  "cannot be run",
		`"planted" | int | divf 0 | index`: "cannot be",
	} {
		r := stored(t, map[string]string{"templates/more.yaml": "x: {{ " + call + " }}"})
		_, err := Open(r, repository(helmRelease), home, self, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: got %v, want %q", call, err, want)
		}
	}
}

// TestWhatIsServedIsSaidOnlyWhereItIsKnown has charts that ask what is served, and one that only could.
func TestWhatIsServedIsSaidOnlyWhereItIsKnown(t *testing.T) {
	asks := stored(t, map[string]string{"templates/more.yaml": `{{ if .Capabilities.APIVersions.Has "example.com/v1/Widget" }}{{ .Capabilities.KubeVersion.Minor }}{{ end }}`})
	if _, err := Open(asks, repository(helmRelease), home, self, &Served{Version: "v1.36.0"}); err != nil {
		t.Errorf("what is served is known: %v", err)
	}
	if _, err := Open(asks, repository(helmRelease), home, self, nil); err == nil {
		t.Error("what is served is not known")
	}
	could := stored(t, map[string]string{"templates/more.yaml": `{{ if .Values.never }}{{ lookup "v1" "Secret" "x" "y" }}{{ end }}`})
	if _, err := Open(could, repository(helmRelease), home, self, nil); err != nil {
		t.Errorf("it never does: %v", err)
	}
}

// TestWhatIsRenderedIsBelievedOnlyWhereHelmMadeTheSame changes one thing of a release, or of Git.
func TestWhatIsRenderedIsBelievedOnlyWhereHelmMadeTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		release func(*Release)
		git     string
		want    string // empty: it is believed
	}{
		"as it is":             {nil, helmRelease, ""},
		"another value stored": {func(r *Release) { r.Manifest = strings.Replace(r.Manifest, "replicas: 1", "replicas: 2", 1) }, helmRelease, "makes another Deployment than Helm stored"},
		"an object less": {func(r *Release) {
			_, rest, _ := strings.Cut(r.Manifest, "---\n# Source: web/templates/settings")
			r.Manifest = "---\n# Source: web/templates/settings" + rest
		}, helmRelease, "makes another Secret than Helm stored"},
		"an object more": {func(r *Release) { r.Manifest += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n" }, helmRelease, "does not make all that Helm stored"},
		"an object of a subchart": {func(r *Release) {
			r.Manifest += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
			r.Chart.Metadata.Dependencies = []Dependency{{Name: "part"}}
		}, helmRelease, ""},
		"something that changes with each release": {func(r *Release) {
			again(r, "templates/settings.yaml", "data:\n", "data:\n  revision: \"{{ .Release.Revision }}\"\n")
			r.Manifest = strings.Replace(r.Manifest, "data:\n", "data:\n  revision: \"3\"\n", 1)
		}, helmRelease, "makes another "},
		"no chart":                 {func(r *Release) { r.Chart = Chart{} }, helmRelease, "Helm did not store the chart"},
		"a template that is none":  {func(r *Release) { r.Chart.Templates[0].Data = []byte("{{ planted") }, helmRelease, "cannot be read"},
		"other values in Git":      {nil, strings.Replace(helmRelease, `"1.4"`, `"1.3"`, 1), "made of other values than Git has"},
		"a value more in Git":      {nil, strings.Replace(helmRelease, "  values:\n", "  values:\n    more: 1\n", 1), "made of other values than Git has"},
		"values from elsewhere":    {func(r *Release) { r.Config["token"] = "planted-default" }, helmRelease, ""},
		"no HelmRelease in Git":    {nil, strings.Replace(helmRelease, "name: web\n", "name: other\n", 1), "does not"},
		"what is no YAML in Git":   {nil, "planted: {", "cannot be rendered"},
		"post-renderers":           {nil, helmRelease + "  postRenderers: [{kustomize: {}}]\n", "postRenderers"},
		"labels that Flux adds":    {func(r *Release) { labelled(r) }, helmRelease, ""},
		"labels for all, as given": {func(r *Release) { labelled(r) }, helmRelease + "  commonMetadata: {labels: {team: a}}\n", "makes another"},
	} {
		t.Run(name, func(t *testing.T) {
			r := stored(t, nil)
			if test.release != nil {
				test.release(&r)
			}
			_, err := Open(r, repository(test.git), home, self, nil)
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted")) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// labelled has Helm's manifest say of which HelmRelease it comes, as Flux does.
func labelled(r *Release) {
	origin := "helm.toolkit.fluxcd.io/name: web, helm.toolkit.fluxcd.io/namespace: shop"
	r.Manifest = strings.NewReplacer("metadata: {name: shop-web}", "metadata: {name: shop-web, labels: {"+origin+"}}",
		"  name: shop-web\n  labels:\n", "  name: shop-web\n  labels:\n    "+strings.ReplaceAll(origin, ", ", "\n    ")+"\n",
		"  name: shop-web\ndata", "  name: shop-web\n  labels: {"+origin+"}\ndata").Replace(r.Manifest)
}

// FuzzRender has no text, whatever it is, take more than its share, panic, or be repeated.
func FuzzRender(f *testing.F) {
	for _, text := range templates {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := newEngine(Chart{Templates: []File{{Name: "templates/x.yaml", Data: []byte(text)}}, Files: []File{{Name: "a", Data: []byte("planted")}}})
		if err != nil {
			return
		}
		made, err := e.render(map[string]any{"a": "planted", "b": []any{"x"}}, map[string]any{"Name": "x"}, &Served{})
		if err != nil && strings.Contains(err.Error(), "planted") || len(made["x.yaml"]) > mostText {
			t.Errorf("got %v", err)
		}
	})
}
