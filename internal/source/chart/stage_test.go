package chart

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// The chart of these tests is written the way charts are: names and labels are templates, the tag has the version of the application
// in its place, and what need not be there stands under conditions.
var templates = map[string]string{
	"templates/_helpers.tpl": `{{- define "web.name" -}}{{ printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-" }}{{- end }}
{{- define "web.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
`,
	"templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.name" . }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      annotations: {checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}}
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
      - name: {{ .Chart.Name }}
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        {{- with .Values.command }}
        command: {{ toYaml . | nindent 8 }}
        {{- end }}
        ports: [{containerPort: {{ .Values.service.port | int }}}]
        env:
        - name: LEVEL
          value: {{ tpl .Values.level . | quote }}
        resources: {{- toYaml .Values.resources | nindent 10 }}
`,
	"templates/settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "web.name" . }}
data:
  greeting: {{ .Values.greeting | quote }}
  {{- range $i, $host := .Values.hosts }}
  host-{{ $i }}: {{ required "a host" $host }}
  {{- end }}
{{ (.Files.Glob "config/*.conf").AsConfig | indent 2 }}
`,
	"templates/token.yaml": `apiVersion: v1
kind: Secret
metadata: {name: {{ include "web.name" . }}}
stringData: {token: {{ .Values.token | default "planted-default" }}}
`,
	"templates/tests/ping.yaml": `apiVersion: v1
kind: Pod
metadata: {name: ping, annotations: {helm.sh/hook: test}}
`,
	"templates/NOTES.txt": `{{ fail "notes are not rendered here" }}`,
}

const chartValues = `replicaCount: 1
nameOverride: ""
image: {repository: registry.example/shop/web, tag: ""}
service: {port: 8080}
autoscaling: {enabled: false, minReplicas: 1}
level: "{{ .Chart.Name }}"
resources: {}
greeting: hello
hosts: []
`

const given = `image: {tag: "1.4"}
resources: {limits: {memory: 64Mi}}
hosts: [a.example]
`

// manifest is what Helm 4.3 stores of that chart with these values, as TestHelmSaysTheSame shows.
const manifest = `---
# Source: web/templates/token.yaml
apiVersion: v1
kind: Secret
metadata: {name: shop-web}
stringData: {token: planted-default}
---
# Source: web/templates/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-web
data:
  greeting: "hello"
  host-0: a.example
  a.conf: |
    x = 1
---
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-web
  labels:
    app.kubernetes.io/name: web
    app.kubernetes.io/version: "1.0"
    helm.sh/chart: web-0.1.0
spec:
  replicas: 1
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      annotations: {checksum/settings: CHECKSUM}
      labels: {app: shop}
    spec:
      containers:
      - name: web
        image: "registry.example/shop/web:1.4"
        ports: [{containerPort: 8080}]
        env:
        - name: LEVEL
          value: "web"
        resources:
          limits:
            memory: 64Mi
`

// values reads values as Helm has them.
func values(t testing.TB, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// checksum is the one that Helm has for the settings.
const checksum = "bbf6463f68a57e804f517cd48cbf39389b27e2389477b35be98b9e177b92ed02"

// stored is a release as Helm stored it, with more templates.
func stored(t testing.TB, more map[string]string) Release {
	t.Helper()
	r := Release{Name: "shop", Namespace: "shop", Version: 3, Config: values(t, given),
		Chart: Chart{Metadata: Metadata{Name: "web", Version: "0.1.0", AppVersion: "1.0"}, Values: values(t, chartValues),
			Files: []File{{Name: "config/a.conf", Data: []byte("x = 1\n")}, {Name: "README.md", Data: []byte("planted")}}}}
	all := maps.Clone(templates)
	maps.Copy(all, more)
	for name, text := range all {
		r.Chart.Templates = append(r.Chart.Templates, File{Name: name, Data: []byte(text)})
	}
	r.Manifest = strings.Replace(manifest, "CHECKSUM", checksum, 1)
	return r
}

const helmRelease = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: shop
spec:
  interval: 10m
  chart: {spec: {chart: web, version: 0.1.0}}
  values:
    # who bumps it: the release job
    image:
      tag: "1.4" # today
    resources:
      limits:
        memory: 64Mi
    hosts: [a.example]
`

var (
	home = render.Spec{Path: "apps"}
	self = source.Name{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease", Namespace: "shop", Name: "web"}
	web  = source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "shop-web"}
)

func repository(release string) map[string][]byte {
	return map[string][]byte{"apps/web.yaml": []byte(release)}
}

func opened(t testing.TB, r Release, files map[string][]byte) *Root {
	t.Helper()
	root, err := Open(r, files, home, self, nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// rule is the name of a refusal.
func rule(err error) string {
	var r *source.Refusal
	if errors.As(err, &r) {
		return r.Rule
	}
	return ""
}
