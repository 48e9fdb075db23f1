package chart

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/source"
	"moorgate.dev/test/helm"
)

// helmed is what Helm itself answers.
func helmed(t *testing.T, args ...string) string {
	t.Helper()
	out, err := helm.Run(t, args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// loaded is a chart on disk, as Helm would store it.
func loaded(t *testing.T, dir string) Chart {
	t.Helper()
	var c Chart
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		switch {
		case err != nil:
		case name == "Chart.yaml":
			err = yaml.Unmarshal(b, &c.Metadata)
		case name == "values.yaml":
			err = yaml.Unmarshal(b, &c.Values)
		case strings.HasPrefix(name, "templates/"):
			c.Templates = append(c.Templates, File{Name: name, Data: b})
		default:
			c.Files = append(c.Files, File{Name: name, Data: b})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ourChart writes the chart of these tests to disk.
func ourChart(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "web")
	write(t, dir+"/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"1.0\"\n")
	write(t, dir+"/values.yaml", chartValues)
	write(t, dir+"/config/a.conf", "x = 1\n")
	for name, text := range templates {
		if name != "templates/NOTES.txt" {
			write(t, filepath.Join(dir, name), text)
		}
	}
	return dir
}

func byName(t *testing.T, all []*unstructured.Unstructured, err error) map[source.Name]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	out := map[source.Name]any{}
	for _, u := range all {
		out[source.NameOf(u)] = u.Object
	}
	return out
}

// TestHelmSaysTheSame holds what is rendered here against Helm itself: of the chart of these tests, and of the one that Helm has
// everybody begin with, with much of it switched on.
func TestHelmSaysTheSame(t *testing.T) {
	begun := t.TempDir()
	helmed(t, "create", begun+"/start")
	for name, test := range map[string]struct{ dir, values string }{
		"ours":                     {ourChart(t), given},
		"ours otherwise":           {ourChart(t), "autoscaling: {enabled: true}\ncommand: [run, --fast]\nlevel: '{{ .Values.greeting | upper }}'\nhosts: [a, b]\nresources: null\nservice: {port: 1000000}\n"},
		"the start":                {begun + "/start", ""},
		"the start with all of it": {begun + "/start", "ingress: {enabled: true, className: x, tls: [{secretName: a, hosts: [b]}]}\nautoscaling: {enabled: true, targetMemoryUtilizationPercentage: 70}\nnodeSelector: {a: b}\nvolumes: [{name: x, emptyDir: {}}]\n"},
		"the start with less":      {begun + "/start", "serviceAccount: {create: false}\nlivenessProbe: null\nreadinessProbe: {httpGet: null}\npodAnnotations: {a: \"1\"}\nfullnameOverride: other\n"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "values.yaml")
			write(t, file, test.values)
			r := Release{Name: "shop", Namespace: "shop", Version: 0, Chart: loaded(t, test.dir), Config: values(t, test.values)}
			text := helmed(t, "template", "shop", test.dir, "--namespace", "shop", "--values", file, "--is-upgrade", "--kube-version", "v1.36.0", "--no-hooks")
			e, err := newEngine(r.Chart)
			if err != nil {
				t.Fatal(err)
			}
			root := &Root{release: r, engine: e, served: &Served{Version: "v1.36.0", Major: "1", Minor: "36"}, read: map[[2]string][]*unstructured.Unstructured{}}
			ours, err := root.objects(r.Config)
			is := byName(t, ours, err)
			theirs, err := root.parsed("helm", text)
			want := byName(t, theirs, err)
			if len(want) < 2 || !reflect.DeepEqual(is, want) {
				t.Errorf("rendered here:\n%v\nby Helm:\n%s", is, text)
			}
		})
	}
}

// TestTheManifestOfTheseTestsIsOfHelm keeps the manifest of these tests true.
func TestTheManifestOfTheseTestsIsOfHelm(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	write(t, file, given)
	text := helmed(t, "template", "shop", ourChart(t), "--namespace", "shop", "--values", file, "--is-upgrade", "--no-hooks")
	full := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\n\n", "\n")) }
	if want := stored(t, nil).Manifest; full(text) != full(want) {
		t.Errorf("Helm says:\n%s\nand these tests:\n%s", text, want)
	}
}
