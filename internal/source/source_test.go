package source

import (
	"errors"
	"strings"
	"testing"
)

const web = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # never rename
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: "sidecar"
        image: 'proxy:1'
      - {name: app, image: "shop/web:1.4"} # the app
      - name: ports
        image: ünïcode:1 # ü
        ports:
        - containerPort: 80
          name: http
        - containerPort: 80
          protocol: UDP
          name: quic
---
# second
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: other}
data:
  note: |
    text
    --- no marker
`

func at(fields ...any) Path {
	var p Path
	for _, f := range fields {
		switch f := f.(type) {
		case string:
			p = append(p, Step{Field: f})
		case []Key:
			p = append(p, Step{Keys: f})
		case int:
			p = append(p, Step{Index: &f})
		}
	}
	return p
}

func container(name string, rest ...any) Path {
	return at(append([]any{"spec", "template", "spec", "containers", []Key{{"name", name}}}, rest...)...)
}

func TestSpliceChangesOneValueAndNothingElse(t *testing.T) {
	tests := []struct {
		name     string
		path     Path
		value    any
		old, now string // what is replaced in the text
		line     int
	}{
		{"a number", at("spec", "replicas"), int64(5), "replicas: 2\n", "replicas: 5\n", 7},
		{"single quotes stay", container("sidecar", "image"), "proxy:2", "'proxy:1'", "'proxy:2'", 12},
		{"double quotes stay, in a flow map, before a comment", container("app", "image"), "shop/web:1.5", `"shop/web:1.4"`, `"shop/web:1.5"`, 13},
		{"columns count characters", container("ports", "image"), "plain:2", "ünïcode:1", "plain:2", 15},
		{"text that reads as a number gets quotes", container("ports", "image"), "1", "ünïcode:1", `"1"`, 15},
		{"text that is a bool to some gets quotes", container("ports", "image"), "no", "ünïcode:1", `"no"`, 15},
		{"text with a comment sign gets quotes", container("ports", "image"), "a #b", "ünïcode:1", `"a #b"`, 15},
		{"a key that the manifest leaves out has its default", container("ports", "ports", []Key{{"containerPort", int64(80)}, {"protocol", "UDP"}}, "name"), "q", "name: quic", "name: q", 0},
		{"the same value is no change", at("spec", "replicas"), int64(2), "", "", 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := Splice([]byte(web), 0, test.path, test.value)
			if strings.HasPrefix(test.name, "a key that") {
				var r *Refusal
				if !errors.As(err, &r) || r.Rule != Duplicate {
					t.Fatalf("two ports could be meant, so it should be refused: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := web
			if test.old != "" {
				want = strings.Replace(web, test.old, test.now, 1)
			}
			if string(e.Bytes) != want {
				t.Fatalf("got\n%s", e.Bytes)
			}
			if e.Line != test.line {
				t.Fatalf("line %d, want %d", e.Line, test.line)
			}
		})
	}
}

func TestSpliceKeepsLineEndsAndMissingLastNewline(t *testing.T) {
	file := "apiVersion: v1\r\nkind: X # x\r\nspec:\r\n  count: 1"
	e, err := Splice([]byte(file), 0, at("spec", "count"), int64(3))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSuffix(file, "1") + "3"; string(e.Bytes) != want {
		t.Fatalf("got %q, want %q", e.Bytes, want)
	}
	if e.OldText != "count: 1" || e.NewText != "count: 3" || !same(e.Old, 1) {
		t.Fatalf("%q %q %v", e.OldText, e.NewText, e.Old)
	}
}

func TestSpliceRefusesByName(t *testing.T) {
	tests := []struct {
		name, file string
		path       Path
		value      any
		rule       string
	}{
		{"a field that is not there", "a: 1\n", at("b"), int64(2), NotFound},
		{"a document that is not there", "a: 1\n", nil, int64(2), NotScalar},
		{"a map", "a: {b: 1}\n", at("a"), int64(2), NotScalar},
		{"a list for a value", "a: 1\n", at("a"), []any{}, NotScalar},
		{"an anchored value", "a: &x 1\nb: *x\n", at("a"), int64(2), Alias},
		{"an alias", "a: &x 1\nb: *x\n", at("b"), int64(2), Alias},
		{"a field below an anchor", "a: &x {c: 1}\nb: *x\n", at("a", "c"), int64(2), Alias},
		{"a field from a merge key", "x: &x {c: 1}\na:\n  <<: *x\n", at("a", "c"), int64(2), Alias},
		{"a block of text", "a: |\n  text\n", at("a"), "x", Block},
		{"a value over two lines", "a: one\n  two\n", at("a"), "x", Block},
		{"a quoted value over two lines", "a: \"one\n  two\"\n", at("a"), "x", Block},
		{"a value with a tag", "a: !!str 1\n", at("a"), "x", Tagged},
		{"a document that SOPS encrypted", "a: 1\nsops: {mac: x}\n", at("a"), int64(2), Encrypted},
		{"a template", "a: 1\nb: '{{ .Values.b }}'\n", at("a"), int64(2), Templated},
		{"a new value that would make it a template", "a: x\n", at("a"), "{{ .x }}", Templated},
		{"a line of image automation", "image: a:1 # {\"$imagepolicy\": \"x:y\"}\n", at("image"), "a:2", Automated},
		{"a key that stands twice", "a: 1\na: 2\n", at("a"), int64(2), Duplicate},
		{"another key that stands twice", "a: 1\nb: {c: 1, c: 2}\n", at("a"), int64(2), Duplicate},
		{"what is not YAML", "a: [\n", at("a"), int64(2), Unreadable},
		{"what is not UTF-8", "a: 1\nb: \xff\n", at("a"), int64(2), Unreadable},
		{"a key that is false to some parsers", "n: 1\n", at("n"), int64(2), NotProven},
		{"an empty document", "# nothing\n", at("a"), int64(2), NotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Splice([]byte(test.file), 0, test.path, test.value)
			var r *Refusal
			if !errors.As(err, &r) || r.Rule != test.rule {
				t.Fatalf("got %v, want a refusal by %s", err, test.rule)
			}
		})
	}
}

func TestReadFindsObjectsWithTheirPlaces(t *testing.T) {
	objects, err := Read(map[string][]byte{"b/web.yaml": []byte(web), "a/values.yaml": []byte("image: x\n"), "c.yaml": nil}, Wanted{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 2 {
		t.Fatalf("%d objects, want 2", len(objects))
	}
	o, found := Find(objects, Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"})
	if !found || o.File != "b/web.yaml" || o.Document != 0 || o.Line != 2 || o.Desired.GetName() != "web" {
		t.Fatalf("got %+v", o)
	}
	if o, found := Find(objects, Name{Kind: "ConfigMap", Namespace: "other", Name: "settings"}); !found || o.Document != 1 || o.Line != 24 {
		t.Fatalf("got %+v", o)
	}
	if replicas := o.Desired.Object["spec"].(map[string]any)["replicas"]; replicas != int64(2) {
		t.Fatalf("replicas is %T", replicas)
	}
}

func TestReadRefusesWhatItCannotUnderstand(t *testing.T) {
	tests := []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"broken YAML, with file and line", map[string][]byte{"x.yaml": []byte("a: 1\n---\nb: [\n")}, "x.yaml: document 2, from line 2"},
		{"kustomize", map[string][]byte{"x/kustomization.yaml": []byte("resources: []\n")}, "x/kustomization.yaml: this folder has to be rendered"},
		{"a List", map[string][]byte{"x.yaml": []byte("apiVersion: v1\nkind: List\nitems: []\n")}, "List is not supported"},
		{"twice", map[string][]byte{"a.yaml": []byte(web), "b.yaml": []byte(web)}, "Deployment web is declared twice: a.yaml:2 and b.yaml:2"},
		{"a name that is a number", map[string][]byte{"a.yaml": []byte("apiVersion: v1\nkind: X\nmetadata: {name: 1}\n")}, "a.yaml"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(test.files, Wanted{Namespace: "shop"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestPathIsWrittenAsPeopleDo(t *testing.T) {
	p := container("app", "resources", "limits", "nvidia.com/gpu")
	if got, want := p.String(), `spec.template.spec.containers[name=app].resources.limits["nvidia.com/gpu"]`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}
