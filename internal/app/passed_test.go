package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileSaysWhatElseIsNoDrift(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.kubectl(mooredWeb(t), "apply", "-f", "-")
	m.kubectl("", "set", "image", "deployment/web", "app=ghcr.io/acme/web:1.5.0")
	file := filepath.Join(t.TempDir(), "passed.yaml")
	m.ok(os.WriteFile(file, []byte("- id: images\n  what: images, which our bumper moves\n  kinds: [Deployment]\n  paths: [\"**/image\"]\n"), 0o600))
	m.diff(exitWarned, []string{"1 object compared; 1 differ or are absent"})
	m.diff(exitOK, []string{"1 object compared; 0 differ or are absent"}, "--false-positives", file)
	m.kubectl("", "scale", "deployment/web", "--replicas=5")
	m.diff(exitWarned, []string{"+replicas: 5"}, "--false-positives", file)
}

func TestAFileOfWhatIsNoDriftThatCannotBeReadStopsEverything(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct{ content, want string }{
		"typo.yaml":       {"- id: x\n  what: y\n  pahts: [spec]\n", "pahts"},
		"everything.yaml": {"- id: x\n  what: y\n  paths: [\"**\"]\n", "would pass over everything"},
		"large.yaml":      {strings.Repeat("# x\n", smallBytes), "larger than 64 KiB"},
		"missing.yaml":    {"", "no such file"},
	} {
		file := filepath.Join(folder, name)
		if tt.content != "" {
			if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range [][]string{{"diff"}, {"judge", "--audit-dir", filepath.Join(folder, "audit")}} {
			code, _, errs := run(append(command, "--false-positives", file, "--kubeconfig", filepath.Join(folder, "none"))...)
			if code == exitOK || !strings.Contains(errs, "--false-positives") || !strings.Contains(errs, tt.want) {
				t.Errorf("%v with %s: exit code %d: %s", command, name, code, errs)
			}
		}
	}
}
