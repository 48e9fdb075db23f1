package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// deployment is a sound Deployment with one thing replaced in its text.
func deployment(t *testing.T, old, replacement string) string {
	t.Helper()
	const sound = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/web:1.4.2
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}}
          resources: {requests: {cpu: 100m, memory: 64Mi}}
`
	if !strings.Contains(sound, old) {
		t.Fatalf("the manifest does not hold %q", old)
	}
	return strings.Replace(sound, old, replacement, 1)
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(args, &out, &errs)
	return code, out.String(), errs.String()
}

const sloppy = "ghcr.io/acme/web:latest\n          env: [{name: A, value: b}]"

func TestReviewOffline(t *testing.T) {
	strict := "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata: {name: strict}\nspec: {thresholds: {warnBelow: 95, denyBelow: 92}}\n"
	warning := "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata: {name: soft}\nspec: {thresholds: {warnBelow: 95, denyBelow: 50, confidenceBelow: 0}}\n"
	tests := []struct {
		name     string
		manifest string
		args     []string
		code     int
		says     string
	}{
		{"passes what is sound", deployment(t, "", ""), nil, 0, "PASS"},
		{"denies what can never be ready", deployment(t, "port: http}", "port: health}"), nil, 2, "DENY"},
		{"says that it would go through where nothing enforces", deployment(t, "port: http}", "port: health}"), nil, 2, "applying it would go through"},
		{"decides by the Guardrail given", deployment(t, "ghcr.io/acme/web:1.4.2", sloppy), []string{"--guardrail", write(t, "g.yaml", strict)}, 2, "Guardrail strict"},
		{"warns and still exits with 0", deployment(t, "ghcr.io/acme/web:1.4.2", sloppy), []string{"--guardrail", write(t, "g.yaml", warning)}, 0, "WARN"},
		{"exits with 1 on a warning when asked to", deployment(t, "ghcr.io/acme/web:1.4.2", sloppy), []string{"--fail-on-warn", "--guardrail", write(t, "g.yaml", warning)}, 1, "WARN"},
		{"names what it cannot know", deployment(t, "", ""), nil, 0, "Nodes                  unknown offline"},
		{"cannot say without a workload", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", nil, 3, "is scored"},
		{"cannot say of broken YAML", "kind: [", nil, 3, "line 1"},
		{"cannot say of a Deployment that is none", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: many}\n", nil, 3, "replicas"},
		{"refuses a Guardrail with an unknown field", deployment(t, "", ""), []string{"--guardrail", write(t, "g.yaml", strings.Replace(strict, "thresholds", "tresholds", 1))}, 3, "tresholds"},
		{"refuses an output that does not exist", deployment(t, "", ""), []string{"-o", "xml"}, 3, "xml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := run(append([]string{"review", "--offline", "-f", write(t, "m.yaml", tt.manifest)}, tt.args...)...)
			if code != tt.code || !strings.Contains(out+errs, tt.says) {
				t.Errorf("exit code %d, want %d; output should hold %q:\n%s%s", code, tt.code, tt.says, out, errs)
			}
		})
	}
}

func TestReviewTakesFoldersAndWhatIsAppliedTogether(t *testing.T) {
	dir := t.TempDir()
	withSecret := deployment(t, "ghcr.io/acme/web:1.4.2", "ghcr.io/acme/web:1.4.2\n          envFrom: [{secretRef: {name: db}}]")
	for name, content := range map[string]string{"a.yaml": withSecret, "sub/b.yml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n",
		"README.md": "# not a manifest"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := run("review", "--offline", "-f", dir)
	if code != 0 || strings.Contains(out, "Secret") {
		t.Errorf("exit code %d; the Secret in the folder should be known:\n%s%s", code, out, errs)
	}
}

func TestReviewAsJSON(t *testing.T) {
	code, out, errs := run("review", "--offline", "-o", "json", "-f", write(t, "m.yaml", deployment(t, "port: http}", "port: health}")))
	var got []struct {
		Subject struct{ Name string }
		Verdict struct {
			Decision string
			Reasons  []struct{ Rule, Text string }
		}
		Assessment struct {
			Score    struct{ Value int }
			Findings []struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 2 {
		t.Fatalf("exit code %d, %v:\n%s%s", code, err, out, errs)
	}
	if len(got) != 1 || got[0].Subject.Name != "web" || got[0].Verdict.Decision != "Deny" || got[0].Assessment.Findings[0].ID != "readiness" {
		t.Errorf("got %+v", got)
	}
}

func TestReviewLeavesNoControlCharactersInATerminal(t *testing.T) {
	manifest := deployment(t, "port: http}", `port: "he\e[31m\nalth"}`)
	_, out, errs := run("review", "--offline", "-f", write(t, "m.yaml", manifest))
	if strings.ContainsAny(out+errs, "\x1b\r") || strings.Contains(out, "\nalth") {
		t.Errorf("control characters of the manifest reach the terminal: %q", out+errs)
	}
}
